import { existsSync } from "node:fs";
import { hostPid } from "./host-process.ts";
import { LoggedProgram, type LoggedProgramOptions, ProgramError } from "./logged-program.ts";
import { waitForFile } from "./wait-for-file.ts";

/** Its command line has its configuration in it. */
export interface ProgramOptions extends Omit<LoggedProgramOptions, "env"> {
  /** Network namespace to run it in. */
  readonly namespace: string;
  readonly readyFile: string;
}

/** How long a program may take until it is ready. */
const READY_TIMEOUT_MS = 180_000;

/** One program of a cluster. */
export class RunningProgram extends LoggedProgram {
  readonly #options: ProgramOptions;

  constructor(options: ProgramOptions) {
    const { title, namespace, command, log } = options;
    // nsenter becomes the program: no process stands between, and pids need no chase.
    super({ title, log, command: ["nsenter", `--net=/run/netns/${namespace}`, "--", ...command] });
    this.#options = options;
  }

  /** The program's number on the host. */
  get hostPid(): number | undefined {
    return this.pid === undefined ? undefined : hostPid(this.pid);
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
}
