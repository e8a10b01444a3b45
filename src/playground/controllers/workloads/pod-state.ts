// What the conditions and the phase of a pod mean to its controllers.
import type { Pod, PodCondition } from "#api/kubernetes/gen/types";
import { isBeingDeleted } from "../objects/object-meta.ts";

/** Ran to its end: will never serve again. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}

/** Counts as a replica: neither finished nor on its way out. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isBeingDeleted(pod);
}

export function readyCondition(pod: Pod): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === "Ready");
}

export function isReady(pod: Pod): boolean {
  return readyCondition(pod)?.status === "True";
}

/**
 * Milliseconds until the pod counts as available: 0 when it does now, undefined while it is not ready.
 * @param minReadySeconds how long it must have been ready without a break
 */
export function untilAvailable(pod: Pod, minReadySeconds: number, now: number): number | undefined {
  const ready = readyCondition(pod);
  if (ready?.status !== "True") return undefined;
  if (minReadySeconds === 0) return 0;
  const since = Date.parse(ready.lastTransitionTime ?? "");
  if (Number.isNaN(since)) return undefined;
  return Math.max(0, since + minReadySeconds * 1000 - now);
}
