// Which pods belong to a ReplicaSet: those it controls and, by adoption, those that match and have no controller.
import type { Pod, ReplicaSet } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import { annotationsOf, controllerOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { isActive, isReady, readyCondition } from "./pod-state.ts";

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

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";

/**
 * The order in which surplus pods go: unbound, then pending, then not ready, then the cheapest, those that share their
 * node with most `related` pods, those that became ready last, the most restarted, the youngest.
 */
export function deletionOrder(pods: readonly Pod[], related: readonly Pod[]): Pod[] {
  const neighbours = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName ?? "";
    if (isActive(pod)) neighbours.set(node, (neighbours.get(node) ?? 0) + 1);
  }
  const crowd = (pod: Pod) => neighbours.get(pod.spec?.nodeName ?? "") ?? 0;
  return [...pods].sort(
    (a, b) =>
      Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName)) ||
      phaseRank(a) - phaseRank(b) ||
      Number(isReady(a)) - Number(isReady(b)) ||
      deletionCost(a) - deletionCost(b) ||
      crowd(b) - crowd(a) ||
      readySince(b) - readySince(a) ||
      restarts(b) - restarts(a) ||
      createdAt(b) - createdAt(a) ||
      (identityOf(a).uid < identityOf(b).uid ? -1 : 1),
  );
}

function phaseRank({ status }: Pod): number {
  return ["Pending", "Unknown", "Running"].indexOf(status?.phase ?? "Pending");
}

function deletionCost(pod: Pod): number {
  const cost = Number(annotationsOf(pod)[DELETION_COST] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

function readySince(pod: Pod): number {
  return isReady(pod) ? Date.parse(readyCondition(pod)?.lastTransitionTime ?? "") || 0 : 0;
}

function restarts({ status }: Pod): number {
  return Math.max(0, ...(status?.containerStatuses ?? []).map(({ restartCount }) => restartCount));
}

function createdAt(pod: Pod): number {
  return Date.parse(pod.metadata?.creationTimestamp ?? "") || 0;
}
