import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { MeshError } from "#base/mesh-error";
import { hostPid } from "./host-process.ts";
import { waitForFile } from "./wait-for-file.ts";

export interface ProgramOptions {
  /** For people: "API server of cluster1". */
  readonly title: string;
  /** Command line; its configuration included. */
  readonly command: readonly string[];
  /** Network namespace to run it in. */
  readonly namespace: string;
  readonly log: string;
  readonly readyFile: string;
}

/** How long a program may take until it is ready, and how long it may take to stop before it is killed. */
const READY_TIMEOUT_MS = 180_000;
const LOG_TAIL_LINES = 12;

/** One program of a cluster, from its start to its end. */
export class RunningProgram {
  readonly title: string;
  /** Rejects with MeshError PROGRAM_ENDED, log tail in its hint, when the program ends before `stop`; never resolves. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #options: ProgramOptions;
  #stopping = false;

  constructor(options: ProgramOptions) {
    this.title = options.title;
    this.#options = options;
    const log = openSync(options.log, "a", 0o644);
    // nsenter becomes the program: no process stands between, and pids need no chase.
    const args = [`--net=/run/netns/${options.namespace}`, "--", ...options.command];
    this.#child = spawn("nsenter", args, { stdio: ["ignore", log, log], cwd: "/" });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.on("exit", () => resolve());
      this.#child.on("error", () => resolve());
    });
    this.failed = this.#failure();
    // Whoever awaits it hears of it; nobody awaiting it is no crash.
    this.failed.catch(() => {});
  }

  /** The program's number on the host. */
  get hostPid(): number | undefined {
    return this.#child.pid === undefined ? undefined : hostPid(this.#child.pid);
  }

  /** Resolves when the program wrote its ready file; rejects when it ended before, or after three minutes. */
  async ready(): Promise<void> {
    const { readyFile, log } = this.#options;
    const found = new AbortController();
    const timer = setTimeout(() => found.abort(), READY_TIMEOUT_MS);
    try {
      await Promise.race([waitForFile(readyFile, found.signal), this.failed]);
    } finally {
      clearTimeout(timer);
      found.abort();
    }
    if (!existsSync(readyFile)) {
      throw new ProgramError(`${this.title} was not ready after ${READY_TIMEOUT_MS / 1000} s`, log);
    }
  }

  /** Asks the program to stop, kills it after `graceMs`, and resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  async #failure(): Promise<never> {
    await this.#exited;
    if (this.#stopping) return new Promise<never>(() => {});
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `ended with exit code ${exitCode}` : `was killed by ${signalCode}`;
    throw new ProgramError(`${this.title} ${how}`, this.#options.log);
  }
}

/** A program failed; `log` is its log file and `tail` the end of it. */
export class ProgramError extends MeshError {
  readonly tail: readonly string[];
  constructor(message: string, log: string) {
    super("PROGRAM_ENDED", message, { hint: `see ${log}` });
    this.tail = logTail(log);
  }
}

export function logTail(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES);
  } catch {
    return [];
  }
}
