import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "#api/kubernetes/gen/types";
import { matchesLabels } from "#api/kubernetes/label-selector";
import { labelsOf } from "../objects/object-meta.ts";
import { isActive, isReady, untilAvailable } from "./pod-state.ts";

export interface ReplicaSetObservation {
  readonly status: ReplicaSetStatus;
  /** When a ready pod will become available, milliseconds from now; undefined when none is waiting. */
  readonly nextLookMs: number | undefined;
}

/** Counts a ReplicaSet's pods. `failure` is the condition of a pod that could not be made or deleted. */
export function observeReplicaSet(
  replicaSet: ReplicaSet,
  owned: readonly Pod[],
  now: number,
  failure?: ReplicaSetCondition,
): ReplicaSetObservation {
  const active = owned.filter(isActive);
  const waits = active.map((pod) => untilAvailable(pod, replicaSet.spec?.minReadySeconds ?? 0, now));
  const pending = waits.flatMap((wait) => (wait === undefined || wait === 0 ? [] : [wait]));
  const templateLabels = replicaSet.spec?.template?.metadata?.labels ?? {};
  const conditions = (replicaSet.status?.conditions ?? []).filter(({ type }) => type !== "ReplicaFailure");
  if (failure !== undefined) conditions.push(failure);
  return {
    status: {
      replicas: active.length,
      fullyLabeledReplicas: active.filter((pod) => matchesLabels(templateLabels, labelsOf(pod))).length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: waits.filter((wait) => wait === 0).length,
      observedGeneration: replicaSet.metadata?.generation ?? 0,
      conditions,
    },
    nextLookMs: pending.length === 0 ? undefined : Math.min(...pending),
  };
}

const COUNTS = [
  "replicas",
  "fullyLabeledReplicas",
  "readyReplicas",
  "availableReplicas",
  "observedGeneration",
] as const satisfies (keyof ReplicaSetStatus)[];

/** Whether writing the status would tell anything new; times of conditions do not count. */
export function sameReplicaSetStatus(a: ReplicaSetStatus | undefined, b: ReplicaSetStatus): boolean {
  if (a === undefined) return false;
  const sentences = (status: ReplicaSetStatus) =>
    (status.conditions ?? []).map(({ type, status: value, message }) => `${type} ${value} ${message}`).join("\n");
  return COUNTS.every((count) => (a[count] ?? 0) === (b[count] ?? 0)) && sentences(a) === sentences(b);
}
