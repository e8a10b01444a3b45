// What a command gets from its program: streams, environment, the cluster flags of every istioctl command.
import type { Readable, Writable } from "node:stream";
import { type Command, CommanderError } from "commander";
import { NAMES } from "#api/constants/names";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { errorMessage, MeshError } from "#base/mesh-error";
import { createKubeClient } from "#kube/create-kube-client";
import type { KubeClient } from "#kube/kube-client";
import { type ClusterAccess, loadKubeConfig } from "#kube/kubeconfig";

export interface CliContext {
  readonly stdin: Readable & { isTTY?: boolean };
  /** Results only: what a script pipes on. */
  readonly stdout: Writable & { isTTY?: boolean };
  /** Progress, warnings, errors. */
  readonly stderr: Writable & { isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface ClusterFlags {
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly istioNamespace: string;
  readonly namespace?: string;
}

/** Gives a command the flags that every istioctl command has. */
export function withClusterFlags(command: Command): Command {
  return command
    .option("--context <name>", "kubeconfig context to use")
    .option("-c, --kubeconfig <file>", "kubeconfig file (default: $KUBECONFIG, else ~/.kube/config)")
    .option("-i, --istioNamespace <namespace>", "namespace of the control plane", NAMES.systemNamespace)
    .option("-n, --namespace <namespace>", "namespace of what the command is about");
}

export function clusterAccess(flags: ClusterFlags, io: CliContext): ClusterAccess {
  return loadKubeConfig({ path: flags.kubeconfig, context: flags.context, environment: io.environment["KUBECONFIG"] });
}

/** Opens the cluster that the flags name, hands it to `use`, and closes it. */
export async function withCluster<T>(
  flags: ClusterFlags,
  io: CliContext,
  use: (client: KubeClient, access: ClusterAccess) => Promise<T>,
): Promise<T> {
  const access = clusterAccess(flags, io);
  const client = createKubeClient(access);
  try {
    return await use(client, access);
  } finally {
    await client.close();
  }
}

export function printLine(stream: Writable, text = ""): void {
  stream.write(`${text}\n`);
}

/** Thrown by a command that is done and has said why: only the exit code is left. */
export class ExitNow extends Error {
  readonly exitCode: ExitCode;
  constructor(exitCode: ExitCode) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Runs a program to its exit code: 0 done, 1 failed (with what, where and what next on stderr), 2 wrong usage. */
export async function runProgram(program: Command, argv: readonly string[], io: CliContext): Promise<ExitCode> {
  prepare(program, io);
  try {
    await program.parseAsync([...argv], { from: "user" });
    return EXIT_CODES.ok;
  } catch (thrown) {
    if (thrown instanceof ExitNow) return thrown.exitCode;
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    const error = MeshError.from(thrown);
    printLine(io.stderr, `Error: ${errorMessage(error)}`);
    if (error.hint !== undefined) printLine(io.stderr, `  ${error.hint}`);
    return error.code === "USAGE" ? EXIT_CODES.usage : EXIT_CODES.failed;
  }
}

function prepare(command: Command, io: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
  });
  command.showHelpAfterError("(run with --help for the flags)");
  for (const child of command.commands) prepare(child, io);
}
