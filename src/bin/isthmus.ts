// One program under two names: `istioctl` has Istio's commands, `isthmus` has them and its own.
import { basename } from "node:path";
import type { Command } from "commander";
import type { CliContext } from "#cli/cli-context";
import { runProgram } from "#cli/cli-context";
import { buildProgram } from "#cli/istioctl";

const io: CliContext = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
};
const name = basename(process.argv[1] ?? "isthmus").replace(/\.(cjs|ts)$/, "");
const args = process.argv.slice(2);

/** The playground is loaded only when it is asked for: istioctl commands start quicker without it. */
async function ownCommands(): Promise<Command[]> {
  if (
    name === "istioctl" ||
    (args[0] !== undefined && !["playground", "start", "help", "--help", "-h"].includes(args[0]))
  )
    return [];
  const { playgroundCommand } = await import("#playground/lifecycle/playground-command");
  const { startCommand } = await import("#playground/guide/start-command");
  return [startCommand(), playgroundCommand()];
}

// A reader that closes the pipe early (head, grep -q) is no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

async function main(): Promise<void> {
  const exitCode = await runProgram(buildProgram(name, io, await ownCommands()), args, io);
  process.exitCode ||= exitCode;
  // An open prompt or keep-alive connection must not keep a finished command alive.
  process.stdin.unref?.();
}

void main();
