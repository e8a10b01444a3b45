import { existsSync } from "node:fs";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { MeshError } from "#base/mesh-error";
import type { CommandContext, NameOption } from "./command-context.ts";
import { guardOf, isAlive, type ProcessIdentity, signalProcess } from "./host-process.ts";
import { awaitGuard, collectLeftovers } from "./leftovers.ts";
import { holdLock, isLocked, runLock, startLock, watchLock } from "./lock.ts";
import { findLockHolder } from "./lock-holder.ts";
import { type PlaygroundPaths, playgroundPaths } from "./playground-paths.ts";
import { readStatus } from "./playground-status.ts";

/** Longer than the supervisor needs in order; after it, force. */
const ORDERLY_MS = 3000;

/** Takes a playground down, or what a crash left of it, files included. Nothing there is no error: 0. */
export async function down(options: NameOption, context: CommandContext): Promise<ExitCode> {
  const paths = playgroundPaths(options.name, context.env);
  const running = await watchLock(runLock(paths));
  if (running === undefined) return collect(paths, context);
  requireRoot(paths);
  const { supervisor, guard } = await whoRuns(paths);
  context.tell(`taking playground ${paths.name} down`);
  signalProcess(supervisor, "SIGTERM");
  await settled(running.released, supervisor);
  await awaitGuard({ guard });
  await collectLeftovers(paths);
  context.tell(`playground ${paths.name} is down`);
  return EXIT_CODES.ok;
}

/** By its status; by the lock it holds when somebody deleted or damaged that. */
async function whoRuns(paths: PlaygroundPaths) {
  const status = await readStatus(paths).catch(() => undefined);
  if (status?.supervisor !== undefined) return { supervisor: status.supervisor, guard: status.guard };
  const holder = (await isLocked(startLock(paths))) ? undefined : findLockHolder(runLock(paths));
  if (holder !== undefined) return { supervisor: holder, guard: guardOf(holder) };
  throw new MeshError("JUST_STARTING", `playground ${paths.name} has only just begun to start`, {
    hint: "try again in a second",
  });
}

async function collect(paths: PlaygroundPaths, context: CommandContext): Promise<ExitCode> {
  if (!existsSync(paths.stateDir)) {
    context.tell(`playground ${paths.name} is not running`);
    return EXIT_CODES.ok;
  }
  requireRoot(paths);
  const lock = await holdLock(startLock(paths));
  if (lock === undefined) {
    throw new MeshError("JUST_STARTING", `another command is starting playground ${paths.name} right now`, {
      hint: "try again in a second",
    });
  }
  try {
    if (await isLocked(runLock(paths))) return await down(paths, context);
    await collectLeftovers(paths);
    context.tell(`playground ${paths.name} was not running; what was left of it is removed`);
    return EXIT_CODES.ok;
  } finally {
    await lock.release();
  }
}

function requireRoot(paths: PlaygroundPaths): void {
  if (process.getuid?.() === 0) return;
  throw new MeshError("NOT_ROOT", `playground ${paths.name} belongs to root`, {
    hint: `run: sudo -E isthmus playground down --name ${paths.name}`,
  });
}

/** Until the supervisor is gone, killed if it takes too long. */
async function settled(released: Promise<void>, supervisor: ProcessIdentity): Promise<void> {
  const timer = setTimeout(() => isAlive(supervisor) && signalProcess(supervisor, "SIGKILL"), ORDERLY_MS);
  await released;
  clearTimeout(timer);
}
