import type { Pod, ReplicaSet, ReplicaSetCondition, ReplicaSetStatus } from "#api/kubernetes/gen/types";
import { matchesLabels } from "#api/kubernetes/label-selector";
import { isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { conditionOf, withoutZeros } from "./conditions.ts";
import { isActive, isFinished, isReady, untilAvailable } from "./pod-state.ts";

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
  const before = replicaSet.status?.conditions ?? [];
  const told = conditionOf(before, "ReplicaFailure");
  const others = before.filter(({ type }) => type !== "ReplicaFailure");
  const conditions = failure === undefined ? others : [...others, told ?? failure];
  const status: ReplicaSetStatus = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => matchesLabels(templateLabels, labelsOf(pod))).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: waits.filter((wait) => wait === 0).length,
    terminatingReplicas: owned.filter((pod) => isBeingDeleted(pod) && !isFinished(pod)).length,
    observedGeneration: replicaSet.metadata?.generation ?? 0,
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  return {
    status: withoutZeros(status, ["replicas", "terminatingReplicas"]),
    nextLookMs: pending.length === 0 ? undefined : Math.min(...pending),
  };
}
