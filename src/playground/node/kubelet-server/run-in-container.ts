import { spawn } from "node:child_process";
import type { ContainerProcess } from "../container/container-process.ts";
import type { CommandResult } from "../probes/probe-attempt.ts";
import { TOOL_ENVIRONMENT } from "../run-command.ts";

const MAX_OUTPUT = 10 << 10;
/** Exit codes of shells. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/** Runs a command in a container to its end, for probes and hooks. Never throws; a time-out is exit code 1. */
export function runInContainer(
  container: ContainerProcess,
  command: readonly string[],
  timeoutMs: number,
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = container.withEnvironment((environment) =>
      spawn("setpriv", container.execArguments(command), {
        stdio: ["ignore", "pipe", "pipe", "ignore", environment],
        env: TOOL_ENVIRONMENT,
      }),
    );
    if (child.stdout === null || child.stderr === null) throw new Error("spawn gave no pipes");
    const { stdout, stderr } = child;
    let output = "";
    let timedOut = false;
    const collect = (chunk: Buffer) => {
      if (output.length < MAX_OUTPUT) output += chunk.toString();
    };
    stdout.on("data", collect);
    stderr.on("data", collect);
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
      stdout.destroy();
      stderr.destroy();
    }, timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      resolve({ exitCode: 1, output: error.message });
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      if (timedOut) output = `command timed out: "${command.join(" ")}" timed out after ${timeoutMs / 1000}s`;
      resolve({ exitCode: timedOut ? 1 : (code ?? 1), output, notStarted: whyNotStarted(output, code, command) });
    });
  });
}

/** The shell that becomes the command says nothing else than that it could not. */
function whyNotStarted(output: string, code: number | null, [program = ""]: readonly string[]): string | undefined {
  if (code !== NOT_FOUND && code !== NOT_EXECUTABLE) return undefined;
  const said = /^[^\n]*: (?:line )?\d+: exec: ([^\n]*): [^\n:]*\n?$/.exec(output)?.[1];
  if (said !== program) return undefined;
  const path = program.includes("/");
  const missing = path ? `stat ${program}: no such file or directory` : "executable file not found in $PATH";
  return `exec: ${JSON.stringify(program)}: ${code === NOT_EXECUTABLE ? "permission denied" : missing}`;
}
