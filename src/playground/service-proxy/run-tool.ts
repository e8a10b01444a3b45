import { spawn } from "node:child_process";
import { MeshError } from "#base/mesh-error";

/** Runs a program to its end and returns its standard output. Throws MeshError with its own words when it fails. */
export function runTool(command: string, args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.on("error", (cause) => {
      const hint = `install the Debian package that has ${command}`;
      reject(new MeshError("TOOL_MISSING", `${command} cannot be run`, { cause, hint }));
    });
    child.on("close", (code) => {
      if (code === 0) resolve(output);
      else reject(new MeshError("TOOL_FAILED", `${command} ${args.join(" ")} ended with ${code}: ${errors.trim()}`));
    });
    // A program that ends before it has read all says why by itself.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}
