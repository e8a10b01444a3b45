import { spawn } from "node:child_process";
import { MeshError } from "#base/mesh-error";

export interface RunToolOptions {
  /** Written to its standard input, which then ends. */
  readonly input?: string;
  /** Its whole environment; this program's own when absent. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs a short program to its end and gives its standard output. Throws MeshError TOOL_MISSING when it cannot be run,
 * TOOL_FAILED with the program's own words when it ends with anything but 0.
 */
export function runTool(program: string, args: readonly string[], options: RunToolOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const { env } = options;
    const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"], ...(env === undefined ? {} : { env }) });
    const output: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.on("error", (cause) => {
      const hint = `install the Debian package that has ${program}`;
      reject(new MeshError("TOOL_MISSING", `${program} cannot be run`, { cause, hint }));
    });
    child.on("close", (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(output).toString());
      const words = Buffer.concat(errors).toString().trim();
      reject(new MeshError("TOOL_FAILED", `${[program, ...args].join(" ")} ended with ${signal ?? code}: ${words}`));
    });
    // A program that ends before it has read all says why by its exit code.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input ?? "");
  });
}
