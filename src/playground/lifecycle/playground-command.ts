// `isthmus playground ...` as a table: one row a command, with its options and an example that works as printed.
import { Command, type CommanderError, Option } from "commander";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import type { CommandContext, NameOption } from "./command-context.ts";
import { down } from "./down.ts";
import { programCommand } from "./installation.ts";
import { printEnv } from "./print-env.ts";
import { ENGINES, NODE_KINDS } from "./real-programs.ts";
import { STATUS_FORMATS, type StatusOptions, showStatus } from "./show-status.ts";
import { type UpOptions, up } from "./up.ts";

interface Row<Options> {
  readonly name: string;
  readonly description: string;
  readonly more: string;
  readonly options: readonly Option[];
  readonly run: (options: Options, context: CommandContext) => Promise<ExitCode>;
}

const NAME = () => new Option("--name <name>", "name of the playground").default("default");

/** Of `up` and of `isthmus start`. */
export const engineOptions = (): readonly Option[] => [
  new Option("--engine <engine>", "our API server, or that of a Kubernetes release, built once if it is nowhere")
    .choices(ENGINES)
    .default("embedded"),
  new Option("--nodes <kind>", "our node runtime, or a kubelet (needs --engine kubernetes)")
    .choices(NODE_KINDS)
    .default("isthmus"),
];

const UP: Row<UpOptions> = {
  name: "up",
  description: "boot clusters on separate networks on this machine",
  more: `Needs root. Returns when everything is ready (--detach), or says so and stays until Ctrl-C, which takes it down.
Of a playground that is up already, as asked for, it says so and exits 0; if it is up otherwise, 1.

Example:
  isthmus playground up --detach
  eval "$(isthmus playground env)"
  kubectl --context="\${CTX_CLUSTER1}" get nodes
  isthmus playground up --engine kubernetes --name real
  echo 'images: [{image: "isthmus/curl", oci: "'$HOME'/.cache/isthmus/images/curl"}]' > my-images.yaml
  isthmus playground up --images my-images.yaml`,
  options: [
    NAME(),
    new Option(
      "--topology <file>",
      "clusters and networks, YAML (default: samples/playground/two-clusters-two-networks.yaml)",
    ),
    ...engineOptions(),
    new Option(
      "--images <file>",
      "image catalogue of your own, YAML, for our node runtime; repeatable, later files win",
    ).argParser((file: string, before: readonly string[] = []) => [...before, file]),
    new Option("--detach", "return once it is ready and leave it running"),
    new Option(
      "--no-common-root",
      "do not put a CA of one common root into every cluster (Secret istio-system/cacerts)",
    ),
  ],
  run: up,
};

const DOWN: Row<NameOption> = {
  name: "down",
  description: "take a playground down and remove all it made",
  more: `Of a playground that is not running it removes what a crash may have left, says so, and exits 0.

Example:
  isthmus playground down --name demo`,
  options: [NAME()],
  run: down,
};

const STATUS: Row<StatusOptions> = {
  name: "status",
  description: "show what runs: clusters, networks, API servers, nodes",
  more: `Exits 0 when the playground is ready, else 1.

Example:
  isthmus playground status -o json`,
  options: [NAME(), new Option("-o, --output <format>", "format").choices(STATUS_FORMATS).default("table")],
  run: showStatus,
};

const ENV: Row<NameOption> = {
  name: "env",
  description: "print exports of KUBECONFIG, CTX_<CLUSTER> and PATH for a POSIX shell",
  more: `Example:
  eval "$(isthmus playground env)"`,
  options: [NAME()],
  run: printEnv,
};

/** The command with its four subcommands; sets process.exitCode: 0 yes, 1 no, 2 wrong usage. */
export function playgroundCommand(context: CommandContext = processContext()): Command {
  const command = strict(new Command("playground")).description("run clusters on this machine, without images");
  command.addHelpText("after", '\nExample:\n  isthmus playground up --detach && eval "$(isthmus playground env)"');
  return command
    .addCommand(subcommand(UP, context))
    .addCommand(subcommand(DOWN, context))
    .addCommand(subcommand(STATUS, context))
    .addCommand(subcommand(ENV, context));
}

function subcommand<Options>(row: Row<Options>, context: CommandContext): Command {
  const command = strict(new Command(row.name)).description(row.description).allowExcessArguments(false);
  for (const option of row.options) command.addOption(option);
  command.addHelpText("after", `\n${row.more}`);
  return command.action(async (options: Options) => {
    process.exitCode = await reported(() => row.run(options, context));
  });
}

/** Wrong usage is 2, whatever program the command is mounted in. */
function strict(command: Command): Command {
  return command
    .showHelpAfterError("(--help shows all options and an example)")
    .exitOverride((error: CommanderError) => {
      process.exit(error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage);
    });
}

export function processContext(): CommandContext {
  return {
    env: process.env,
    program: (name) => programCommand(name),
    print: (line) => process.stdout.write(`${line}\n`),
    tell: (line) => process.stderr.write(`${line}\n`),
  };
}

/** Says what went wrong and what to do; 2 when the usage was wrong, else 1. */
export async function reported(run: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await run();
  } catch (thrown) {
    const error = MeshError.from(thrown);
    const cause = error.cause instanceof Error ? `: ${error.cause.message.trim()}` : "";
    process.stderr.write(`error: ${error.message}${cause}\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${error.hint}\n`);
    return error.code.startsWith("USAGE") ? EXIT_CODES.usage : EXIT_CODES.failed;
  }
}
