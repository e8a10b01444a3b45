import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import type { Writable } from "node:stream";
import { MeshError } from "#base/mesh-error";
import type { ContainerCgroup } from "../cgroup/container-cgroups.ts";
import { TOOL_ENVIRONMENT } from "../run-command.ts";
import { shellQuote } from "../shell-quote.ts";
import { type ContainerLog, type LogStream, readFifo } from "./container-log.ts";
import {
  type ContainerLaunch,
  environmentFile,
  environmentText,
  initScript,
  mountTable,
  type PidNamespace,
  processCommand,
  READY_LINE,
} from "./container-script.ts";
import { nodeTools, type ToolWords } from "./container-tools.ts";
import type { ProcessIdentity } from "./process-identity.ts";

export interface ContainerExit {
  /** As runtimes tell it: 128 and the signal's number after a death by signal. */
  readonly exitCode: number;
  readonly message: string;
  /** The kernel ended a process of it for lack of memory. */
  readonly oomKilled: boolean;
}

export interface ContainerProcess {
  /** Of the container's first process, as the node sees it; 0 when it ended before it could be seen. */
  readonly pid: number;
  /** Resolves when every process of the container is gone and all of its output is in the log. */
  readonly exited: Promise<ContainerExit>;
  signal(name: NodeJS.Signals | number): void;
  /** As the image writes what asks its program to end; empty: SIGTERM. */
  readonly stopSignal: string;
  /** The arguments for `setpriv` that run a command inside; see exec in the kubelet API. */
  execArguments(command: readonly string[]): string[];
  /** Opens the environment for a process that is spawned meanwhile: it must be the child's descriptor ENVIRONMENT_FD. */
  withEnvironment<T>(use: (descriptor: number) => T): T;
  /** Of this start of the container, on the node. */
  readonly directory: string;
  readonly identity: ProcessIdentity;
  /** How the runtime's own tools are called in the container. */
  readonly tools: ToolWords;
  /** On the node: what the program writes to its terminationMessagePath. */
  readonly terminationLog: string;
  readonly cgroup: ContainerCgroup | undefined;
  /** What attached clients type; undefined when the container has no standard input. */
  readonly stdin: Writable | undefined;
  readonly stdinOnce: boolean;
  /** What the program wrote before the one client of its input came; gives it once. */
  takeEarlyOutput(): readonly EarlyOutput[];
}

export interface EarlyOutput {
  readonly stream: LogStream;
  readonly bytes: Buffer;
}

/** More than this of early output is dropped. */
const MOST_EARLY = 64 * 1024;

/** Added to the number of the signal that ended a program. */
const BY_SIGNAL = 128;
const KILLED = BY_SIGNAL + constants.signals.SIGKILL;
const LOST = 255;
/** Output of what a container leaves behind in a pid namespace of others is read for this long. */
const LEFT_BEHIND_MS = 200;

/**
 * Starts a prepared container in the sandbox's namespaces and returns when its program runs.
 * Throws MeshError START_FAILED with the words of the step that failed.
 */
export async function startContainerProcess(
  launch: ContainerLaunch,
  enter: readonly string[],
  log: ContainerLog,
): Promise<ContainerProcess> {
  writeFileSync(`${launch.directory}/fstab`, mountTable(launch));
  writeFileSync(`${launch.directory}/init`, initScript(launch), { mode: 0o600 });
  writeFileSync(environmentFile(launch), environmentText(launch.variables, launch.tools), { mode: 0o600 });
  const early = collectEarlyOutput(launch);
  const write = (stream: LogStream) => (bytes: Buffer) => {
    early.add({ stream, bytes });
    log.write(stream, bytes);
  };
  const outputs = await Promise.all([
    readFifo(launch.stdout, write("stdout")),
    readFifo(launch.stderr, write("stderr")),
  ]);
  const child = spawn(
    "setpriv",
    [
      ...["--pdeathsig", "KILL", "nsenter", ...enter, ...PID_NAMESPACE[launch.pids.kind].enter(launch.pids)],
      ...["unshare", "--mount", ...PID_NAMESPACE[launch.pids.kind].unshare, "sh", `${launch.directory}/init`],
    ],
    { stdio: [launch.stdin ? "pipe" : "ignore", "ignore", "pipe"], env: TOOL_ENVIRONMENT },
  );
  // Whoever types into a program that has just ended loses it, as on any terminal.
  child.stdin?.on("error", () => undefined);
  const diagnostics = collectDiagnostics(child);
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("error", () => resolve({ code: 128, signal: null }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const first = await Promise.race([diagnostics.ready, ended]);
  // The end of a short program may be known before its first line is read.
  if (first !== "ready") await diagnostics.closed;
  if (first !== "ready" && !diagnostics.wasReady()) {
    for (const output of outputs) output.destroy();
    throw new MeshError("START_FAILED", diagnostics.text() || `the launcher ended with ${first.signal ?? first.code}`);
  }
  return runningContainer({ child, launch, ended, outputs, diagnostics, early });
}

/** How the launcher comes into the pid namespace of the container; entering or making one forks. */
const PID_NAMESPACE = {
  own: { enter: () => [], unshare: ["--pid", "--fork", "--kill-child"], forks: true },
  joined: { enter: ({ path = "" }) => [`--pid=${path}`], unshare: [], forks: true },
  node: { enter: () => [], unshare: [], forks: false },
} satisfies Record<PidNamespace["kind"], unknown>;

interface Started {
  readonly child: ChildProcess;
  readonly launch: ContainerLaunch;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly outputs: readonly { ended: Promise<void>; destroy: () => void }[];
  readonly diagnostics: { text(): string };
  readonly early: { take(): readonly EarlyOutput[] };
}

function runningContainer({ child, launch, ended, outputs, diagnostics, early }: Started): ContainerProcess {
  const launcher = child.pid ?? 0;
  const pid = PID_NAMESPACE[launch.pids.kind].forks ? (firstChildOf(launcher) ?? 0) : launcher;
  let gone = false;
  const exited = ended.then(async ({ code, signal }): Promise<ContainerExit> => {
    gone = true;
    // In a namespace of others what it left behind goes on and holds its output.
    if (launch.pids.kind !== "own") await endLeftBehind(launch, outputs);
    await Promise.all(outputs.map((output) => output.ended));
    const oomKilled = (launch.cgroup?.oomKills() ?? 0) > 0;
    await launch.cgroup?.remove();
    return { exitCode: exitCodeOf(code, signal, diagnostics.text()), message: "", oomKilled };
  });
  return {
    pid,
    exited,
    directory: launch.directory,
    identity: launch.identity,
    stopSignal: launch.stopSignal ?? "",
    tools: launch.tools ?? nodeTools,
    terminationLog: launch.terminationLog,
    cgroup: launch.cgroup,
    stdin: child.stdin ?? undefined,
    stdinOnce: launch.stdinOnce,
    takeEarlyOutput: early.take,
    signal(name) {
      if (gone || pid === 0) return;
      try {
        process.kill(pid, name);
      } catch {
        // It went by itself between two looks.
      }
    },
    withEnvironment(use) {
      const descriptor = openSync(environmentFile(launch), "r");
      try {
        return use(descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
    execArguments: (command) => [
      ...["--pdeathsig", "KILL", ...joinCgroup(launch.cgroup)],
      ...["nsenter", "--target", String(pid), "--mount", "--net", "--pid", "--ipc", "--uts"],
      ...["--", ...processCommand(launch, command)],
    ],
  };
}

/** The words before a command that bring it under the container's limits; a group that has just gone stops nobody. */
function joinCgroup(cgroup: ContainerCgroup | undefined): string[] {
  const files = cgroup?.procsFiles ?? [];
  if (files.length === 0) return [];
  const moves = files.map((file) => `echo $$ >${shellQuote(file)}`);
  return ["sh", "-c", `{ ${moves.join("; ")}; } 2>/dev/null; exec "$@"`, "sh"];
}

/** A death by signal is passed on by the launcher; util-linux 2.38 can not die of SIGKILL itself and complains instead. */
function exitCodeOf(code: number | null, signal: NodeJS.Signals | null, diagnostics: string): number {
  if (signal !== null) return BY_SIGNAL + constants.signals[signal];
  if (diagnostics.includes("sigprocmask")) return KILLED;
  return code ?? LOST;
}

async function endLeftBehind(
  { cgroup }: ContainerLaunch,
  outputs: readonly { ended: Promise<void>; destroy: () => void }[],
): Promise<void> {
  for (const pid of cgroup?.processes() ?? []) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It went by itself.
    }
  }
  const quiet = new Promise<void>((resolve) => setTimeout(resolve, LEFT_BEHIND_MS));
  await Promise.race([Promise.all(outputs.map((output) => output.ended)), quiet]);
  for (const output of outputs) output.destroy();
}

/** `kubectl run -i` attaches a moment after the start: it shall see the first words too. */
function collectEarlyOutput({ stdin, stdinOnce }: ContainerLaunch) {
  let pieces: EarlyOutput[] = [];
  let room = stdin && stdinOnce ? MOST_EARLY : 0;
  return {
    add(piece: EarlyOutput) {
      if (room <= 0) return;
      room -= piece.bytes.length;
      pieces.push(piece);
    },
    take() {
      const taken = pieces;
      pieces = [];
      room = 0;
      return taken;
    },
  };
}

/** Undefined when the program was so short that it is over already. */
function firstChildOf(pid: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return Number(children[0]) || undefined;
  } catch {
    return undefined;
  }
}

function collectDiagnostics(child: ChildProcess) {
  let text = "";
  let onReady: (word: "ready") => void = () => undefined;
  const ready = new Promise<"ready">((resolve) => {
    onReady = resolve;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (text.includes(READY_LINE)) onReady("ready");
  });
  const closed = new Promise<void>((resolve) => {
    child.stderr?.once("close", () => resolve());
    if (!child.stderr) resolve();
  });
  return { ready, closed, wasReady: () => text.includes(READY_LINE), text: () => text.replace(READY_LINE, "").trim() };
}
