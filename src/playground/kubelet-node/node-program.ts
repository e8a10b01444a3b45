import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { logTail, ProgramError } from "../lifecycle/running-program.ts";

const WATCHES = "/proc/sys/fs/inotify/max_user_instances";

/** What a person can do about a reason that many machines have in common; empty for any other. */
export function adviceOn(log: string): readonly string[] {
  if (!logTail(log).some((line) => line.includes("too many open files"))) return [];
  const limit = readFileSync(WATCHES, "utf8").trim();
  return [
    `each real cluster watches files about 20 times, and this machine lets one user do so ${limit} times:`,
    "take another playground down, or raise it: sysctl -w fs.inotify.max_user_instances=512",
  ];
}

export interface NodeProgramOptions {
  /** For people: "the kubelet of cluster1". */
  readonly title: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard output and error go to its end. */
  readonly log: string;
}

/** One of the programs of a node, from its start to its end. */
export class NodeProgram {
  /** Rejects with ProgramError, the end of the log in its message, when the program ends before `stop`; never resolves. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #options: NodeProgramOptions;
  #stopping = false;

  constructor(options: NodeProgramOptions) {
    this.#options = options;
    const log = openSync(options.log, "a", 0o644);
    const [program = "", ...args] = options.command;
    this.#child = spawn(program, args, { stdio: ["ignore", log, log], cwd: "/", env: { ...options.env } });
    closeSync(log);
    this.#exited = new Promise((resolve) => {
      this.#child.on("exit", () => resolve());
      this.#child.on("error", () => resolve());
    });
    this.failed = this.#failure();
    // Whoever awaits it hears of it; nobody awaiting it is no crash.
    this.failed.catch(() => {});
  }

  /** Undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Asks the program to end, kills it after `graceMs`, and resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
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
    const { title, log } = this.#options;
    // One log leads to the other: the supervisor shows the end of this program's.
    throw new ProgramError([`${title} ${how}`, ...logTail(log), ...adviceOn(log)].join("\n"), log);
  }
}
