import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { MeshError } from "#base/mesh-error";
import { TOOL_ENVIRONMENT } from "../run-command.ts";
import { type ContainerLog, type LogStream, readFifo } from "./container-log.ts";
import {
  type ContainerLaunch,
  environmentFile,
  environmentText,
  initScript,
  mountTable,
  processCommand,
  READY_LINE,
} from "./container-script.ts";

export interface ContainerExit {
  readonly exitCode: number;
  readonly message: string;
}

export interface ContainerProcess {
  /** Of the container's first process, as the node sees it; 0 when it ended before it could be seen. */
  readonly pid: number;
  /** Resolves when every process of the container is gone and all of its output is in the log. */
  readonly exited: Promise<ContainerExit>;
  signal(name: "SIGTERM" | "SIGKILL" | "SIGINT" | "SIGQUIT" | "SIGHUP"): void;
  /** The arguments for `setpriv` that run a command inside; see exec in the kubelet API. */
  execArguments(command: readonly string[]): string[];
  /** Opens the environment for a process that is spawned meanwhile: it must be the child's descriptor ENVIRONMENT_FD. */
  withEnvironment<T>(use: (descriptor: number) => T): T;
  /** Of this start of the container, on the node. */
  readonly directory: string;
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

/** Exit codes by which a container ended by SIGKILL or by an unknown signal is told, as runtimes do. */
const KILLED = 137;
const UNKNOWN_SIGNAL = 255;

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
  writeFileSync(environmentFile(launch), environmentText(launch.variables), { mode: 0o600 });
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
      ...["--pdeathsig", "KILL", "nsenter", ...enter],
      ...["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", `${launch.directory}/init`],
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
  if (first !== "ready") {
    for (const output of outputs) output.destroy();
    await diagnostics.closed;
    throw new MeshError("START_FAILED", diagnostics.text() || `the launcher ended with ${first.signal ?? first.code}`);
  }
  return runningContainer({ child, launch, ended, outputs, diagnostics, early });
}

interface Started {
  readonly child: ChildProcess;
  readonly launch: ContainerLaunch;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly outputs: readonly { ended: Promise<void>; destroy: () => void }[];
  readonly diagnostics: { text(): string };
  readonly early: { take(): readonly EarlyOutput[] };
}

function runningContainer({ child, launch, ended, outputs, diagnostics, early }: Started): ContainerProcess {
  const pid = firstChildOf(child.pid ?? 0) ?? 0;
  let gone = false;
  let killed = false;
  const exited = ended.then(async ({ code, signal }): Promise<ContainerExit> => {
    gone = true;
    await Promise.all(outputs.map((output) => output.ended));
    if (killed) return { exitCode: KILLED, message: "" };
    // util-linux 2.38 tells a death by signal only by this complaint and exit code 1.
    const bySignal = signal !== null || diagnostics.text().includes("sigprocmask");
    if (bySignal) return { exitCode: UNKNOWN_SIGNAL, message: "ended by a signal" };
    return { exitCode: code ?? UNKNOWN_SIGNAL, message: "" };
  });
  return {
    pid,
    exited,
    directory: launch.directory,
    stdin: child.stdin ?? undefined,
    stdinOnce: launch.stdinOnce,
    takeEarlyOutput: early.take,
    signal(name) {
      if (gone || pid === 0) return;
      if (name === "SIGKILL") killed = true;
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
      ...["--pdeathsig", "KILL", "nsenter", "--target", String(pid), "--mount", "--net", "--pid", "--ipc", "--uts"],
      ...["--", ...processCommand(launch, command)],
    ],
  };
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
  return { ready, closed, text: () => text.replace(READY_LINE, "").trim() };
}
