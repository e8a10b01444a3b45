// A program that the playground starts and ends itself: its output goes to a log, and its unexpected end is an error.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { MeshError } from "#base/mesh-error";

const LOG_TAIL_LINES = 12;

export interface LoggedProgramOptions {
  /** For people: "API server of cluster1". */
  readonly title: string;
  readonly command: readonly string[];
  /** All of it; the caller's own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard output and error go to its end. */
  readonly log: string;
}

/** From its start to its end. */
export class LoggedProgram {
  readonly title: string;
  /** Rejects with ProgramError when the program ends before `stop`; never resolves. */
  readonly failed: Promise<never>;
  readonly #log: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #stopping = false;

  constructor({ title, command, env = process.env, log }: LoggedProgramOptions) {
    this.title = title;
    this.#log = log;
    const output = openSync(log, "a", 0o644);
    const [program = "", ...args] = command;
    this.#child = spawn(program, args, { stdio: ["ignore", output, output], cwd: "/", env: { ...env } });
    closeSync(output);
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
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.pid === undefined) return;
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Lines that the message of its failure ends with. */
  protected explain(_log: string): readonly string[] {
    return [];
  }

  async #failure(): Promise<never> {
    await this.#exited;
    if (this.#stopping) return new Promise<never>(() => {});
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `ended with exit code ${exitCode}` : `was killed by ${signalCode}`;
    throw new ProgramError([`${this.title} ${how}`, ...this.explain(this.#log)].join("\n"), this.#log);
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
