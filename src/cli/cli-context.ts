// What a command gets from its program: streams, environment, the cluster flags of every istioctl command.
import type { Readable, Writable } from "node:stream";
import { type Command, CommanderError } from "commander";
import { NAMES } from "#api/constants/names";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { errorMessage, MeshError } from "#base/mesh-error";
import { createKubeClient } from "#kube/create-kube-client";
import { type KubeClient, KubeError } from "#kube/kube-client";
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
    await program.parseAsync(moveClusterFlags(program, argv), { from: "user" });
    return EXIT_CODES.ok;
  } catch (thrown) {
    if (thrown instanceof ExitNow) return thrown.exitCode;
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    const error = MeshError.from(thrown);
    printLine(io.stderr, `Error: ${errorMessage(error)}`);
    const hint = error.hint ?? hintOf(error);
    if (hint !== undefined) printLine(io.stderr, `  ${hint}`);
    return error.code === "USAGE" ? EXIT_CODES.usage : EXIT_CODES.failed;
  }
}

/** What to do about refusals that mean the same whatever command met them. */
function hintOf(error: MeshError): string | undefined {
  if (!(error.cause instanceof KubeError) && !(error instanceof KubeError)) return undefined;
  const { status } = error instanceof KubeError ? error : (error.cause as KubeError);
  if (status === 401) return "the credentials of this kubeconfig context are not accepted: renew them or use --context";
  if (status === 403) return "use a kubeconfig context whose user may do this, or ask for the missing right";
  return undefined;
}

/** The cluster flags by every spelling that takes a value. */
const CLUSTER_FLAGS = new Set(["--context", "-c", "--kubeconfig", "-i", "--istioNamespace", "-n", "--namespace"]);

/**
 * istioctl takes its cluster flags before a command too (`istioctl --context=c1 proxy-config -n ns cluster pod`). Here
 * they belong to the commands themselves, so those in front move behind.
 */
export function moveClusterFlags(program: Command, argv: readonly string[]): string[] {
  const path: string[] = [];
  const moved: string[] = [];
  let command = program;
  let index = 0;
  while (index < argv.length && command.commands.length > 0) {
    const word = argv[index] ?? "";
    const child = command.commands.find((candidate) => [candidate.name(), ...candidate.aliases()].includes(word));
    if (child !== undefined) {
      path.push(word);
      command = child;
      index += 1;
    } else if (CLUSTER_FLAGS.has(word.replace(/=.*$/s, ""))) {
      const length = word.includes("=") ? 1 : 2;
      moved.push(...argv.slice(index, index + length));
      index += length;
    } else break;
  }
  return [...path, ...moved, ...argv.slice(index)];
}

function prepare(command: Command, io: CliContext): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
  });
  command.showHelpAfterError("(run with --help for the flags)");
  for (const child of command.commands) prepare(child, io);
}
