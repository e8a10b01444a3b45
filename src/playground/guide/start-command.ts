// `isthmus start`, the main job: boots the playground, runs the guide, calls from both clusters, says whether it works.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { errorMessage, MeshError } from "#base/mesh-error";
import { until } from "#base/until";
import { installationRoot } from "../lifecycle/installation.ts";
import { engineOptions, reported } from "../lifecycle/playground-command.ts";
import { type PlaygroundPaths, playgroundPaths } from "../lifecycle/playground-paths.ts";
import type { PlaygroundStatus } from "../lifecycle/playground-status.ts";
import { contextVariable } from "../lifecycle/print-env.ts";
import { checkEngine, type EngineOptions } from "../lifecycle/real-programs.ts";
import { currentStatus } from "../lifecycle/show-status.ts";
import { callSpread, podHomes, type Spread, whyNotSpread } from "./call-spread.ts";
import { parsePage } from "./parse-page.ts";
import { renderHowToGoOn, renderResult, renderSpreads, shortCommand } from "./report.ts";
import { runPage } from "./run-page.ts";

interface StartOptions extends EngineOptions {
  readonly once?: boolean;
  readonly name: string;
  readonly page?: string;
  readonly calls: number;
}

const VERSIONS = ["v1", "v2"];
/** `up` has its own, shorter times for all it does; the longest is building a Kubernetes release, once. */
const UP_TIMEOUT_MS = 3_600_000;

export function startCommand(): Command {
  const command = new Command("start")
    .description("boot two clusters on two networks, run the multi-primary guide, and show that the mesh works")
    .option("--once", "take everything down at the end and exit 0, or 1 if the mesh does not keep the promise")
    .option("--name <name>", "name of the playground", "default")
    .option("--page <file>", "page whose commands are run (default: docs/guide.md)")
    .option("--calls <number>", "calls from each cluster", parseCalls, 40)
    .addHelpText("after", "\nExamples:\n  isthmus start --once\n  isthmus start --once --engine kubernetes\n");
  for (const option of engineOptions()) command.addOption(option);
  return command.action(async (options: StartOptions) => {
    process.exitCode = await reported(() => start(options));
  });
}

function parseCalls(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number from 1 to 999999.");
}

async function start(options: StartOptions): Promise<ExitCode> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort(new Error(signal)));
  checkEngine(options);
  const paths = playgroundPaths(options.name, process.env);
  const before = await currentStatus(paths);
  if (before?.phase === "ready" || before?.phase === "starting") {
    process.stderr.write(
      `Error: playground ${paths.name} is ${before.phase} already\n  take it down first: isthmus playground down --name ${paths.name}\n`,
    );
    return EXIT_CODES.failed;
  }
  const playground = boot(options, stop.signal);
  try {
    const status = await ready(paths, playground);
    const kept = await demonstrate(status, options, stop.signal);
    const stays = options.once !== true && process.stdin.isTTY === true && !stop.signal.aborted;
    if (stays) {
      process.stdout.write(renderHowToGoOn(status));
      await Promise.race([new Promise((resolve) => stop.signal.addEventListener("abort", resolve)), playground.ended]);
    }
    return kept ? EXIT_CODES.ok : EXIT_CODES.failed;
  } catch (thrown) {
    if (!stop.signal.aborted) process.stderr.write(`Error: ${errorMessage(MeshError.from(thrown))}\n`);
    return EXIT_CODES.failed;
  } finally {
    await playground.takeDown();
  }
}

interface Playground {
  readonly child: ChildProcess;
  readonly ended: Promise<number>;
  takeDown(): Promise<void>;
}

/** `playground up` in the foreground as a child that dies with us: whatever ends this program ends everything. */
function boot({ name, engine, nodes }: StartOptions, signal: AbortSignal): Playground {
  const program = process.argv[1] ?? join(installationRoot(), "bin", "isthmus");
  const runner = program.endsWith(".ts")
    ? [process.execPath, ...process.execArgv, program]
    : [join(installationRoot(), "bin", "isthmus")];
  const up = ["playground", "up", "--name", name, "--engine", engine, "--nodes", nodes];
  const child = spawn("setpriv", ["--pdeathsig", "TERM", ...runner, ...up], {
    stdio: ["ignore", "inherit", "inherit"],
    detached: true,
  });
  const ended = new Promise<number>((resolve) => {
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  });
  return {
    child,
    ended,
    async takeDown() {
      if (child.exitCode === null && child.signalCode === null) {
        if (!signal.aborted) process.stderr.write("taking the playground down\n");
        child.kill("SIGTERM");
      }
      await ended;
    },
  };
}

async function ready(paths: PlaygroundPaths, playground: Playground): Promise<PlaygroundStatus> {
  let exitCode: number | undefined;
  void playground.ended.then((code) => {
    exitCode = code;
  });
  return until(
    async () => {
      if (exitCode !== undefined)
        throw new MeshError("PLAYGROUND_FAILED", "the playground did not come up; see the lines above");
      // A crash leaves a status that says ready; the current one knows that nobody stands behind it.
      const status = await currentStatus(paths);
      return status?.phase === "ready" && playground.child.pid !== undefined ? status : undefined;
    },
    { reason: "the playground is ready", timeoutMs: UP_TIMEOUT_MS, intervalMs: 20 },
  );
}

async function demonstrate(status: PlaygroundStatus, options: StartOptions, signal: AbortSignal): Promise<boolean> {
  const root = installationRoot();
  const environment = guideEnvironment(status, root);
  const page = options.page ?? join(root, "docs", "guide.md");
  const commands = parsePage(readFileSync(page, "utf8"));
  process.stdout.write(`\nThe guide: ${commands.length} commands of ${options.page ?? "docs/guide.md"}\n\n`);
  const begun = Date.now();
  const results = await runPage(commands, {
    environment,
    releaseFolder: root,
    signal,
    onResult: (result, index) => process.stdout.write(renderResult(result, index, commands.length)),
  });
  const failed = results.find((result) => result.exitCode !== 0);
  if (failed !== undefined) {
    process.stdout.write(
      `\nThe guide failed at line ${failed.command.line}: ${shortCommand(failed.command.text)}\n${failed.output}\n`,
    );
    return false;
  }
  process.stdout.write(
    `\n${results.length} of ${commands.length} commands in ${((Date.now() - begun) / 1000).toFixed(1)} s. Calling helloworld from each cluster ...\n\n`,
  );
  const spreads = await Promise.all(
    status.clusters.map((cluster) =>
      callSpread({ context: cluster.context, calls: options.calls, environment, signal }),
    ),
  );
  const homes = await podHomes(
    status.clusters.map((cluster) => cluster.context),
    { environment, signal },
  );
  return conclude(spreads, homes);
}

/** The environment that `playground env` prints. */
export function guideEnvironment(status: PlaygroundStatus, root: string): Record<string, string | undefined> {
  return {
    ...process.env,
    KUBECONFIG: status.kubeconfig,
    PATH: `${join(root, "bin")}:${process.env["PATH"] ?? ""}`,
    ...Object.fromEntries(status.clusters.map((cluster) => [contextVariable(cluster.name), cluster.context])),
  };
}

function conclude(spreads: readonly Spread[], homes: ReadonlyMap<string, string>): boolean {
  process.stdout.write(renderSpreads(spreads, homes));
  const reasons = spreads.map((spread) => whyNotSpread(spread, VERSIONS)).filter((reason) => reason !== undefined);
  const sentence =
    reasons.length === 0
      ? "The mesh keeps the guide's promise: from every cluster, calls reach both versions across networks that cannot reach each other."
      : `The mesh does not keep the guide's promise: ${reasons.join("; ")}.`;
  process.stdout.write(`\n${sentence}\n`);
  return reasons.length === 0;
}
