// Which pods belong to a ReplicaSet: those it controls and, by adoption, those that match and have no controller.
import type { Pod, ReplicaSet } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import { controllerOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { isActive, isReady } from "./pod-state.ts";

export interface PodClaims {
  readonly owned: Pod[];
  /** Match, active, without a controller: to be taken. */
  readonly adopt: Pod[];
  /** Ours, but no longer matching: to be let go. */
  readonly release: Pod[];
}

export function claimPods(replicaSet: ReplicaSet, podsOfNamespace: readonly Pod[]): PodClaims {
  const claims: PodClaims = { owned: [], adopt: [], release: [] };
  const selector = replicaSet.spec?.selector;
  if (selector === undefined) return claims;
  const { uid } = identityOf(replicaSet);
  for (const pod of podsOfNamespace) {
    const controller = controllerOf(pod);
    const matches = matchesSelector(selector, labelsOf(pod));
    if (controller?.uid === uid && matches) claims.owned.push(pod);
    else if (controller?.uid === uid && !isBeingDeleted(pod)) claims.release.push(pod);
    else if (controller === undefined && matches && isActive(pod)) claims.adopt.push(pod);
  }
  return claims;
}

/** The order in which surplus pods go: unbound, then pending, then not ready, then the youngest. */
export function byDeletionOrder(a: Pod, b: Pod): number {
  return (
    Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
    Number(a.status?.phase === "Running") - Number(b.status?.phase === "Running") ||
    Number(isReady(a)) - Number(isReady(b)) ||
    createdAt(b) - createdAt(a) ||
    identityOf(a).name.localeCompare(identityOf(b).name)
  );
}

function createdAt(pod: Pod): number {
  return Date.parse(pod.metadata?.creationTimestamp ?? "") || 0;
}
