import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import type { CommandContext } from "./command-context.ts";
import { failedError } from "./follow-start.ts";
import { collectLeftovers } from "./leftovers.ts";
import type { PlaygroundPaths } from "./playground-paths.ts";
import { readStatus } from "./playground-status.ts";
import type { Guard } from "./start-guard.ts";

/** Keeps the terminal until the playground is down. 0: somebody asked for it. Throws PLAYGROUND_FAILED otherwise. */
export async function holdForeground(paths: PlaygroundPaths, guard: Guard, context: CommandContext): Promise<ExitCode> {
  context.tell("  it stays up until Ctrl-C");
  await guard.ended;
  // `down` of another terminal may have removed the files by now: then it was orderly.
  const status = await readStatus(paths);
  if (status !== undefined && status.phase !== "stopped") throw failedError(paths, status);
  await collectLeftovers(paths);
  context.tell(`playground ${paths.name} is down`);
  return EXIT_CODES.ok;
}
