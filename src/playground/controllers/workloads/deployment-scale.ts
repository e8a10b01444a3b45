// A Deployment that is resized in the middle of a rollout keeps the proportions of its ReplicaSets. Pure arithmetic.
import type { Deployment, ReplicaSet } from "#api/kubernetes/gen/types";
import { annotationsOf } from "../objects/object-meta.ts";
import { createdAt, DESIRED, MAX, type Revisions } from "./deployment-revisions.ts";
import { rolloutBounds } from "./rolling-update.ts";

export interface Resize {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

/** The Deployment's size is another than the one noted on a ReplicaSet that has replicas. */
export function isResized(deployment: Deployment, { current, old }: Revisions): boolean {
  const wanted = deployment.spec?.replicas ?? 1;
  return active(current, old).some((set) => {
    const noted = annotationsOf(set)[DESIRED];
    return noted !== undefined && Number(noted) !== wanted;
  });
}

function active(current: ReplicaSet | undefined, old: readonly ReplicaSet[]): ReplicaSet[] {
  return [...old, ...(current === undefined ? [] : [current])].filter((set) => sizeOf(set) > 0);
}

export function sizeOf({ spec }: ReplicaSet): number {
  return spec?.replicas ?? 1;
}

/** The new sizes, in the order in which they are to be written; what is not named keeps its size. */
export function planResize(deployment: Deployment, { current, old }: Revisions): Resize[] {
  const wanted = deployment.spec?.replicas ?? 1;
  const sets = active(current, old);
  if (sets.length <= 1) {
    const newest = [...old].sort((a, b) => createdAt(b) - createdAt(a))[0];
    const only = sets[0] ?? current ?? newest;
    return only === undefined || sizeOf(only) === wanted ? [] : [{ set: only, replicas: wanted }];
  }
  if (current !== undefined && isSaturated(current, wanted)) {
    return old.filter((set) => sizeOf(set) > 0).map((set) => ({ set, replicas: 0 }));
  }
  return deployment.spec?.strategy?.type === "Recreate" ? [] : inProportion(deployment, sets);
}

function isSaturated(current: ReplicaSet, wanted: number): boolean {
  const noted = Number(annotationsOf(current)[DESIRED]);
  return sizeOf(current) === wanted && noted === wanted && current.status?.availableReplicas === wanted;
}

function inProportion(deployment: Deployment, sets: readonly ReplicaSet[]): Resize[] {
  const { replicas, maxSurge } = rolloutBounds(deployment);
  const allowed = replicas > 0 ? replicas + maxSurge : 0;
  const toAdd = allowed - sets.reduce((sum, set) => sum + sizeOf(set), 0);
  // The larger first; of equal ones the newer when growing, the older when shrinking.
  const order = [...sets].sort(
    (a, b) => sizeOf(b) - sizeOf(a) || (toAdd > 0 ? createdAt(b) - createdAt(a) : createdAt(a) - createdAt(b)),
  );
  let added = 0;
  const sizes = order.map((set) => {
    const share = toAdd === 0 ? 0 : shareOf(deployment, set, toAdd, toAdd - added);
    added += share;
    return sizeOf(set) + share;
  });
  const leftover = toAdd - added;
  return order.map((set, index) => ({
    set,
    replicas: Math.max(0, (sizes[index] ?? 0) + (index === 0 ? leftover : 0)),
  }));
}

function shareOf(deployment: Deployment, set: ReplicaSet, ...[toAdd, left]: [number, number]): number {
  const { replicas, maxSurge } = rolloutBounds(deployment);
  if (left === 0) return 0;
  const before = Number(annotationsOf(set)[MAX] ?? 0) || (deployment.status?.replicas ?? 0);
  const share =
    replicas === 0
      ? -sizeOf(set)
      : before === 0
        ? 0
        : Math.round((sizeOf(set) * (replicas + maxSurge)) / before) - sizeOf(set);
  return toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
}
