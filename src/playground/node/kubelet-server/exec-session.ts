// exec and attach of the kubelet API.
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import type { Duplex, Readable } from "node:stream";
import { MeshError } from "#base/mesh-error";
import { readFifo } from "../container/container-log.ts";
import type { ContainerProcess } from "../container/container-process.ts";
import { CONTAINER_TERMINAL, onTerminal } from "../container/container-script.ts";
import { runCommand, TOOL_ENVIRONMENT } from "../run-command.ts";
import { shellWords } from "../shell-quote.ts";
import type { RemoteStreams } from "./exit-status.ts";
import { findContainer, runningProcess } from "./find-container.ts";
import type { KubeletServerOptions, PodRequest, Upgraded } from "./kubelet-request.ts";
import { acceptRemoteStreams } from "./remote-streams.ts";
import { runInContainer } from "./run-in-container.ts";

const KILLED = 137;
const SIGNALLED = 128;
const NOT_FOUND = 127;
const SIZE_WAIT_MS = 200;
let sessions = 0;

/** Runs a command in a container; its streams and exit code go to the client. */
export async function serveExec({ manager }: KubeletServerOptions, on: PodRequest, upgraded: Upgraded): Promise<void> {
  const running = runningProcess(findContainer(manager, on));
  const command = on.query.getAll("command");
  if (command.length === 0) throw new MeshError("BAD_REQUEST", "exec needs a command");
  const streams = await acceptRemoteStreams(on, upgraded);
  try {
    streams.finish(await (streams.tty ? runOnTerminal : runPlain)(running, command, streams));
  } catch (thrown) {
    streams.finish(1, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Connects a client with the running program itself: its output from now on and, if it has one, its standard input. */
export async function serveAttach(
  { manager }: KubeletServerOptions,
  on: PodRequest,
  upgraded: Upgraded,
): Promise<void> {
  const runner = findContainer(manager, on);
  const running = runningProcess(runner);
  const streams = await acceptRemoteStreams(on, upgraded);
  for (const { stream, bytes } of running.takeEarlyOutput()) streams[stream]?.write(bytes);
  const unsubscribe = runner.log?.onBytes((stream, bytes) => streams[stream]?.write(bytes));
  if (running.stdin === undefined) streams.stdin?.resume();
  else streams.stdin?.pipe(running.stdin, { end: running.stdinOnce });
  const sizes = readSizes(streams.resize);
  void sizes.first.then((size) => size && resizeTerminal(running, CONTAINER_TERMINAL, size));
  sizes.onChange((size) => resizeTerminal(running, CONTAINER_TERMINAL, size));
  await Promise.race([running.exited, streams.closed]);
  unsubscribe?.();
  if (running.stdin !== undefined) streams.stdin?.unpipe(running.stdin);
  if (running.stdinOnce && streams.stdin !== undefined) running.stdin?.end();
  // How the program ended stands in the pod's status; to an attached client it is no failure.
  streams.finish(0);
}

function resizeTerminal(running: ContainerProcess, terminal: string, { rows, columns }: TerminalSize): void {
  void runInContainer(running, ["stty", "-F", terminal, "rows", String(rows), "cols", String(columns)], 5000);
}

/** The command writes into named pipes, not sockets, so that it can open /dev/stdout. */
async function runPlain(
  running: ContainerProcess,
  command: readonly string[],
  streams: RemoteStreams,
): Promise<number> {
  const session = join(running.directory, `exec-${++sessions}`);
  const [out, err] = [`${session}-out`, `${session}-err`];
  await runCommand("mkfifo", ["-m", "666", out, err]);
  const outputs = await Promise.all([
    readFifo(out, (bytes) => streams.stdout?.write(bytes)),
    readFifo(err, (bytes) => streams.stderr?.write(bytes)),
  ]);
  const words = ["-c", 'out=$1 err=$2; shift 2; exec setpriv "$@" >"$out" 2>"$err"', "sh", out, err];
  const child = running.withEnvironment((environment) =>
    spawn("sh", [...words, ...running.execArguments(command)], {
      stdio: [streams.stdin ? "pipe" : "ignore", "ignore", "ignore", "ignore", environment],
      env: TOOL_ENVIRONMENT,
    }),
  );
  feed(streams.stdin, child);
  const exitCode = await exitOf(child, streams);
  // What it left running in the background may hold the pipes: the session ends with the command.
  await Promise.race([Promise.all(outputs.map(({ ended }) => ended)), delay(100)]);
  for (const output of outputs) output.destroy();
  for (const path of [out, err]) rmSync(path, { force: true });
  return exitCode;
}

/** The terminal is made inside the container; the shell before the command tells its name. */
async function runOnTerminal(
  running: ContainerProcess,
  command: readonly string[],
  streams: RemoteStreams,
): Promise<number> {
  const sizes = readSizes(streams.resize);
  const first = await sizes.first;
  const size = first ? `stty rows ${first.rows} cols ${first.columns}; ` : "";
  const line = `tty >&3; exec 3>&-; ${size}TERM=\${TERM:-xterm} exec ${shellWords(command)}`;
  const child = running.withEnvironment((environment) =>
    spawn("setpriv", running.execArguments(onTerminal(line, running.tools)), {
      stdio: ["pipe", "pipe", "pipe", "pipe", environment],
      env: TOOL_ENVIRONMENT,
    }),
  );
  feed(streams.stdin, child);
  child.stdout?.on("data", (bytes: Buffer) => streams.stdout?.write(bytes));
  child.stderr?.on("data", (bytes: Buffer) => streams.stdout?.write(bytes));
  const nameOutput = child.stdio[3] as Readable;
  nameOutput.once("data", (name: Buffer) => {
    const terminal = name.toString().trim();
    sizes.onChange((size) => resizeTerminal(running, terminal, size));
  });
  return exitOf(child, streams);
}

function feed(stdin: Duplex | undefined, child: ChildProcess): void {
  if (!child.stdin) return;
  child.stdin.on("error", () => stdin?.destroy());
  if (stdin) stdin.pipe(child.stdin);
}

function exitOf(child: ChildProcess, streams: RemoteStreams): Promise<number> {
  void streams.closed.then(() => child.kill("SIGKILL"));
  return new Promise((resolve) => {
    child.once("error", () => resolve(NOT_FOUND));
    child.once("close", (code, signal) => resolve(code ?? exitCodeOf(signal)));
  });
}

/** As shells count: 128 and the number of the signal. */
function exitCodeOf(signal: NodeJS.Signals | null): number {
  return signal === null ? KILLED : SIGNALLED + constants.signals[signal];
}

interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** Sizes come as `{"Width":80,"Height":24}`; the first one normally before anything else. */
function readSizes(resize: Duplex | undefined) {
  let listener: (size: TerminalSize) => void = () => undefined;
  let resolveFirst: (size: TerminalSize | undefined) => void = () => undefined;
  const first = new Promise<TerminalSize | undefined>((resolve) => {
    resolveFirst = resolve;
    setTimeout(() => resolve(undefined), resize ? SIZE_WAIT_MS : 0);
  });
  resize?.on("data", (bytes: Buffer) => {
    const last = bytes.toString().trim().split("\n").at(-1) ?? "";
    const match = /"Width":\s*(\d+).*"Height":\s*(\d+)/.exec(last);
    if (!match) return;
    const size = { rows: Number(match[2]), columns: Number(match[1]) };
    resolveFirst(size);
    listener(size);
  });
  return {
    first,
    onChange(next: (size: TerminalSize) => void) {
      listener = next;
    },
  };
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
