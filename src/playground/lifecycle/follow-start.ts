import { MeshError } from "#base/mesh-error";
import type { CommandContext } from "./command-context.ts";
import { awaitGuard, collectLeftovers } from "./leftovers.ts";
import { logTail } from "./logged-program.ts";
import type { PlaygroundPaths } from "./playground-paths.ts";
import { type PlaygroundStatus, readStatus } from "./playground-status.ts";
import type { Guard } from "./start-guard.ts";
import type { StopRequest } from "./stop-supervisor.ts";
import { watchFolder } from "./watch-folder.ts";

/**
 * Shows the phases of a start as they end, on standard error. True once the playground is ready; false when it was taken
 * down meanwhile. Throws MeshError PLAYGROUND_FAILED with the reason and the end of the log.
 */
export async function followStart(
  paths: PlaygroundPaths,
  guard: Guard,
  stop: StopRequest,
  context: CommandContext,
): Promise<boolean> {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  context.tell(`starting playground ${paths.name}`);
  let shown = 0;
  const last = await statusUntilSettled(paths, guard.ended, (status) => {
    for (const phase of status.phases.slice(shown)) context.tell(`  ${seconds()}  ${phase.name} (${phase.ms} ms)`);
    shown = status.phases.length;
    return status.phase === "ready" && !stop.asked;
  });
  if (last?.phase === "ready" && !stop.asked) {
    tellReady(last, seconds(), context);
    return true;
  }
  if (stop.asked) await collectLeftovers(paths);
  if (stop.asked || last?.phase === "stopped") {
    context.tell(`playground ${paths.name} was taken down while it started`);
    return false;
  }
  if (last !== undefined) await awaitGuard(last);
  throw failedError(paths, last);
}

/** Reads the status at every change, until it is settled or the guard is gone; gives the last one. */
async function statusUntilSettled(
  paths: PlaygroundPaths,
  guardEnd: Promise<void>,
  isSettled: (status: PlaygroundStatus) => boolean,
): Promise<PlaygroundStatus | undefined> {
  let ended = false;
  let wake = () => {};
  const watcher = watchFolder(paths.stateDir, () => wake());
  const end = guardEnd.finally(() => {
    ended = true;
    wake();
  });
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const wasEnded = ended;
      const status = await readStatus(paths);
      const settled = status !== undefined && isSettled(status);
      if (settled || wasEnded) {
        if (wasEnded) await end;
        return status;
      }
      if (!ended) await changed;
    }
  } finally {
    watcher.close();
  }
}

function tellReady(status: PlaygroundStatus, time: string, context: CommandContext): void {
  const name = status.name === "default" ? "" : ` --name ${status.name}`;
  context.tell(`playground ${status.name} is ready after ${time}`);
  for (const cluster of status.clusters) {
    context.tell(`  ${cluster.name} on ${cluster.network}: ${cluster.apiServer}`);
  }
  context.tell(`  use it:       eval "$(isthmus playground env${name})"`);
  context.tell(`  take it down: isthmus playground down${name}`);
}

/** The error that tells why a playground is not there any more. */
export function failedError(paths: PlaygroundPaths, status: PlaygroundStatus | undefined): MeshError {
  const reason = status?.phase === "failed" ? status.reason : "its supervisor was killed or could not start";
  const supervisorLog = status?.supervisorLog ?? `${paths.logsDir}/supervisor.log`;
  const tail = status?.logTail ?? (status?.phase === "failed" ? [] : logTail(supervisorLog));
  const lines = [`playground ${paths.name} failed: ${reason}`, ...tail.map((line) => `  | ${line}`)];
  return new MeshError("PLAYGROUND_FAILED", lines.join("\n"), { hint: status?.hint ?? `see ${supervisorLog}` });
}
