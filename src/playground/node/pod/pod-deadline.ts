import type { Pod } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";

export const DEADLINE = {
  reason: "DeadlineExceeded",
  message: "Pod was active on the node longer than the specified deadline",
} as const;

const DEFAULT_GRACE_SECONDS = 30;

/** How long its containers may take to end. */
export function graceSecondsOf({ spec }: Pod): number {
  return spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
}

/** Calls back when the pod has been active for its activeDeadlineSeconds; the returned function takes that back. */
export function watchDeadline(pod: Pod, startTime: string, on: { clock: Clock; onExceeded: () => void }): () => void {
  const seconds = pod.spec?.activeDeadlineSeconds;
  if (seconds === undefined) return () => undefined;
  const wait = Date.parse(startTime) + seconds * 1000 - on.clock.now();
  // A timer takes 31 bits of milliseconds; nobody waits for longer than that.
  return on.clock.schedule(Math.min(2 ** 31 - 1, Math.max(0, wait)), on.onExceeded);
}
