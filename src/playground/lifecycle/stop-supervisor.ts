import { signalProcess } from "./host-process.ts";
import type { PlaygroundPaths } from "./playground-paths.ts";
import { readStatus } from "./playground-status.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Asks the supervisor to take the playground down in order. False when there is none to ask. */
export async function stopSupervisor(paths: PlaygroundPaths): Promise<boolean> {
  const status = await readStatus(paths);
  return status?.supervisor !== undefined && signalProcess(status.supervisor, "SIGTERM");
}

/** Calls `action` at Ctrl-C, SIGTERM and hang-up until the returned function is called. */
export function onStopSignal(action: () => Promise<unknown>): () => void {
  const listener = () => {
    // A second Ctrl-C while the playground goes down changes nothing; a failed read means that it is gone.
    action().catch(() => {});
  };
  for (const signal of STOP_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, listener);
  };
}
