import type { CommandContext } from "./command-context.ts";
import { signalProcess } from "./host-process.ts";
import type { PlaygroundPaths } from "./playground-paths.ts";
import { readStatus } from "./playground-status.ts";
import type { Guard } from "./start-guard.ts";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Asks the supervisor to take the playground down in order. False when there is none to ask. */
export async function stopSupervisor(paths: PlaygroundPaths): Promise<boolean> {
  const status = await readStatus(paths);
  return status?.supervisor !== undefined && signalProcess(status.supervisor, "SIGTERM");
}

/** Whether somebody asked for the end, from before the start until after the end: no signal falls between two listeners. */
export interface StopRequest {
  readonly asked: boolean;
  off(): void;
}

/** Takes the playground down in order at Ctrl-C, SIGTERM and hang-up, until `off` is called. */
export function listenForStop(paths: PlaygroundPaths, guard: Guard, context: CommandContext): StopRequest {
  let asked = false;
  const stop = async () => {
    // Before the supervisor has said who it is there is nothing to take down in order.
    if (!(await stopSupervisor(paths))) guard.process.kill("SIGKILL");
  };
  const listener = () => {
    if (!asked) context.tell(`taking playground ${paths.name} down`);
    asked = true;
    // A second Ctrl-C while the playground goes down changes nothing; a failed read means that it is gone.
    stop().catch(() => {});
  };
  for (const signal of STOP_SIGNALS) process.on(signal, listener);
  return {
    get asked() {
      return asked;
    },
    off() {
      for (const signal of STOP_SIGNALS) process.off(signal, listener);
    },
  };
}
