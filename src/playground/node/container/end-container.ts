import type { Clock } from "#base/clock";
import type { ContainerProcess } from "./container-process.ts";
import { type HookTarget, runHook } from "./lifecycle-hook.ts";
import { stopSignalNumber } from "./stop-signal.ts";

/** What a container gets at least to end by itself, however little is left of the grace period. */
const LEAST_GRACE_MS = 2000;

export interface ContainerStop {
  /** Less than one: to the letter, without hook; the node itself is in a hurry. */
  readonly graceSeconds: number;
  /** Resolves when all that must end before this container have; waited for no longer than the grace period. */
  readonly turn?: Promise<unknown>;
}

export interface EndingContainer {
  readonly running: ContainerProcess;
  readonly target: HookTarget;
  readonly clock: Clock;
  readonly onHookFailed: () => void;
}

/**
 * Ends a container in Kubernetes' order: preStop hook, its turn, stop signal, grace period, SIGKILL. Resolves when it
 * is gone.
 */
export async function endContainer(ending: EndingContainer, { graceSeconds, turn }: ContainerStop): Promise<void> {
  const { running, target, clock } = ending;
  const gone = new AbortController();
  const exited = running.exited.then(() => gone.abort());
  const wait = (ms: number) => clock.sleep(ms, gone.signal).catch(() => undefined);
  const deadline = clock.now() + graceSeconds * 1000;
  const hook = target.container.lifecycle?.preStop;
  if (hook && graceSeconds >= 1) {
    const hooked = runHook(hook, { ...target, wait }, graceSeconds * 1000).then(({ ok }) => {
      if (!ok && !gone.signal.aborted) ending.onHookFailed();
    });
    await Promise.race([hooked, wait(graceSeconds * 1000)]);
  }
  if (turn && graceSeconds >= 1) await Promise.race([turn, wait(deadline - clock.now())]);
  if (graceSeconds > 0) {
    running.signal(stopSignalNumber(target.container.lifecycle?.stopSignal ?? running.stopSignal));
    const least = graceSeconds < 1 ? graceSeconds * 1000 : LEAST_GRACE_MS;
    await wait(Math.max(least, deadline - clock.now()));
  }
  running.signal("SIGKILL");
  await exited;
}
