// A Deployment's ReplicaSets: which one is current, which are history, and how a new one is made.

import { Kinds } from "#api/kinds";
import type { Deployment, ReplicaSet } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import {
  annotationsOf,
  controllerOf,
  controllerReference,
  identityOf,
  isBeingDeleted,
  labelsOf,
} from "../objects/object-meta.ts";
import { POD_TEMPLATE_HASH, podTemplateHash, sameTemplate } from "./pod-template-hash.ts";

export const REVISION = "deployment.kubernetes.io/revision";
/** Revisions that a ReplicaSet had before a rollback made it current again. */
export const HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED = "deployment.kubernetes.io/desired-replicas";
export const MAX = "deployment.kubernetes.io/max-replicas";
/** Annotations of the Deployment that describe the Deployment alone. */
const NOT_COPIED = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "deprecated.deployment.rollback.to",
  REVISION,
  HISTORY,
  DESIRED,
  MAX,
]);

export interface Revisions {
  /** The ReplicaSet of today's template; undefined before it is made. */
  readonly current: ReplicaSet | undefined;
  /** The others, oldest first. */
  readonly old: ReplicaSet[];
}

export interface ReplicaSetClaims {
  readonly owned: ReplicaSet[];
  /** Match the selector and have no controller. */
  readonly adopt: ReplicaSet[];
}

export function claimReplicaSets(deployment: Deployment, replicaSets: readonly ReplicaSet[]): ReplicaSetClaims {
  const selector = deployment.spec?.selector ?? {};
  const { uid } = identityOf(deployment);
  const matching = replicaSets.filter((set) => matchesSelector(selector, labelsOf(set)));
  return {
    owned: matching.filter((set) => controllerOf(set)?.uid === uid),
    adopt: matching.filter((set) => controllerOf(set) === undefined && !isBeingDeleted(set)),
  };
}

export function sortRevisions(deployment: Deployment, owned: readonly ReplicaSet[]): Revisions {
  const template = deployment.spec?.template ?? {};
  const byAge = [...owned].sort((a, b) => revisionOf(a) - revisionOf(b) || createdAt(a) - createdAt(b));
  const alive = byAge.filter((set) => !isBeingDeleted(set));
  const hash = podTemplateHash(template, deployment.status?.collisionCount ?? 0);
  // By hash too: should the server have filled in another default there, a second ReplicaSet would not help.
  const current =
    alive.find((set) => sameTemplate(set.spec?.template ?? {}, template)) ??
    alive.find((set) => labelsOf(set)[POD_TEMPLATE_HASH] === hash);
  return { current, old: byAge.filter((set) => set !== current) };
}

export function revisionOf(object: Deployment | ReplicaSet): number {
  return Number(annotationsOf(object)[REVISION] ?? 0) || 0;
}

/** The number that the current ReplicaSet must carry: above all old ones; a rollback gets a new number too. */
export function nextRevision({ current, old }: Revisions): number {
  const newest = old.reduce((max, set) => Math.max(max, revisionOf(set)), 0);
  return Math.max(newest + 1, current === undefined ? 0 : revisionOf(current));
}

export interface ReplicaSetNumbers {
  readonly replicas: number;
  readonly maxSurge: number;
  readonly revision: number;
}

/** What the current ReplicaSet carries: the Deployment's own annotations and its revision. */
export function copiedAnnotations(deployment: Deployment, revision: number): Record<string, string> {
  const copied = Object.entries(annotationsOf(deployment)).filter(([key]) => !NOT_COPIED.has(key));
  return { ...Object.fromEntries(copied), [REVISION]: String(revision) };
}

export function sizeAnnotations({ replicas, maxSurge }: Omit<ReplicaSetNumbers, "revision">): Record<string, string> {
  return { [DESIRED]: String(replicas), [MAX]: String(replicas + maxSurge) };
}

/** The ReplicaSet of the Deployment's template, to be created with `desired` replicas. */
export function newReplicaSet(deployment: Deployment, desired: number, numbers: ReplicaSetNumbers): ReplicaSet {
  const { namespace, name } = identityOf(deployment);
  const spec = deployment.spec ?? { selector: {}, template: {} };
  const hash = podTemplateHash(spec.template, deployment.status?.collisionCount ?? 0);
  const labels = { ...spec.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  return {
    metadata: {
      namespace,
      name: `${name}-${hash}`,
      labels,
      annotations: { ...copiedAnnotations(deployment, numbers.revision), ...sizeAnnotations(numbers) },
      ownerReferences: [controllerReference(Kinds.Deployment, deployment)],
    },
    spec: {
      replicas: desired,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [POD_TEMPLATE_HASH]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
}

/** What is beyond `revisionHistoryLimit` of the oldest and empty. */
export function surplusRevisions(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit;
  if (limit === undefined || limit === 2 ** 31 - 1) return [];
  const alive = old.filter((set) => !isBeingDeleted(set));
  return alive.slice(0, Math.max(0, alive.length - limit)).filter((set) => {
    const busy = (set.spec?.replicas ?? 1) > 0 || (set.status?.replicas ?? 0) > 0;
    return !busy && (set.status?.observedGeneration ?? 0) >= (set.metadata?.generation ?? 0);
  });
}

export function createdAt(object: ReplicaSet): number {
  return Date.parse(object.metadata?.creationTimestamp ?? "") || 0;
}
