import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { MeshError } from "#base/mesh-error";

/** What the supervisor shows of this process' log is twelve lines. */
const TAIL_LINES = 8;

export interface ControlPlaneProgramOptions {
  /** As people know it: kube-apiserver. */
  readonly name: string;
  readonly file: string;
  readonly flags: readonly string[];
  /** Its output is appended to it. */
  readonly log: string;
  /** Takes the last lines of a program that ended by itself. */
  readonly tell: (lines: readonly string[]) => void;
}

/** One program of a control plane, from its start to its end. It dies with this process, however that ends. */
export class ControlPlaneProgram {
  readonly name: string;
  /** Rejects with MeshError PROGRAM_ENDED when the program ends before `kill`, its last lines told; never resolves. */
  readonly failed: Promise<never>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #tell: (lines: readonly string[]) => void;
  #killed = false;

  constructor({ name, file, flags, log, tell }: ControlPlaneProgramOptions) {
    this.#tell = tell;
    this.name = name;
    const output = openSync(log, "a", 0o644);
    const command = ["--pdeathsig", "KILL", file, ...flags];
    this.#child = spawn("setpriv", command, { stdio: ["ignore", output, output], cwd: "/" });
    closeSync(output);
    this.#exited = new Promise((resolve) => {
      this.#child.on("exit", () => resolve());
      this.#child.on("error", () => resolve());
    });
    this.failed = this.#failure(log);
    // Whoever awaits it hears of it; nobody awaiting it is no crash.
    this.failed.catch(() => {});
  }

  /** Ends it at once: what it has not written yet is not wanted any more. */
  async kill(): Promise<void> {
    this.#killed = true;
    this.#child.kill("SIGKILL");
    await this.#exited;
  }

  async #failure(log: string): Promise<never> {
    await this.#exited;
    if (this.#killed) return new Promise<never>(() => {});
    const { exitCode, signalCode } = this.#child;
    const how = signalCode === null ? `ended with exit code ${exitCode}` : `was killed by ${signalCode}`;
    this.#tell(tailOf(log));
    throw new MeshError("PROGRAM_ENDED", `${this.name} ${how}`, { hint: `see ${log}` });
  }
}

function tailOf(log: string): readonly string[] {
  const lines = readFileSync(log, "utf8").trimEnd().split("\n");
  return lines.slice(-TAIL_LINES).filter((line) => line !== "");
}
