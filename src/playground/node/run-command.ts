import { spawn } from "node:child_process";
import { MeshError } from "#base/mesh-error";

/** Where the system's own tools are; what starts them keeps nothing else of its own environment. */
export const TOOL_ENVIRONMENT = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" } as const;

/**
 * Runs a short command to its end and returns its standard output.
 * Throws MeshError COMMAND_FAILED with the command's own words when it exits with anything but 0.
 */
export function runCommand(file: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "pipe"], env: TOOL_ENVIRONMENT });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const failed = (what: string) =>
      reject(new MeshError("COMMAND_FAILED", `${file} ${args.slice(0, 4).join(" ")}: ${what}`));
    child.once("error", (error) => failed(error.message));
    child.once("close", (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString());
      failed(Buffer.concat(err).toString().trim() || `ended with ${signal ?? code}`);
    });
  });
}
