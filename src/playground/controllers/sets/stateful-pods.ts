// Which pods a StatefulSet wants and what they are called. Pure.

import { Kinds } from "#api/kinds";
import type {
  PersistentVolumeClaim,
  Pod,
  PodTemplateSpec,
  StatefulSet,
  StatefulSetStatus,
} from "#api/kubernetes/gen/types";
import { identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { podFromTemplate } from "../workloads/pod-from-template.ts";
import { isReady, untilAvailable } from "../workloads/pod-state.ts";

export const REVISION_HASH = "controller-revision-hash";

export interface NamedTemplate {
  readonly revision: string;
  readonly template: PodTemplateSpec;
}

export interface StatefulTemplates {
  readonly current: NamedTemplate;
  readonly update: NamedTemplate;
}

export function startOrdinal({ spec }: StatefulSet): number {
  return spec?.ordinals?.start ?? 0;
}

export function replicasOf({ spec }: StatefulSet): number {
  return spec?.replicas ?? 1;
}

/** -1 when the name is none of the StatefulSet's. */
export function ordinalOf(set: StatefulSet, podName: string): number {
  const prefix = `${identityOf(set).name}-`;
  const rest = podName.startsWith(prefix) ? podName.slice(prefix.length) : "";
  return /^\d+$/.test(rest) ? Number(rest) : -1;
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  return ordinal >= startOrdinal(set) && ordinal < startOrdinal(set) + replicasOf(set);
}

/** The pod of an ordinal, of the revision that belongs there: below the partition the current one. */
export function buildPod(set: StatefulSet, templates: StatefulTemplates, ordinal: number): Pod {
  const { namespace, name } = identityOf(set);
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
  const partition = rollingUpdate?.partition ?? 0;
  const kept = rollingUpdate === undefined && type === "RollingUpdate" ? (set.status?.currentReplicas ?? 0) : partition;
  const { revision, template } = ordinal < startOrdinal(set) + kept ? templates.current : templates.update;
  const podName = `${name}-${ordinal}`;
  const pod = podFromTemplate(Kinds.StatefulSet, set, template);
  const labels = {
    ...labelsOf(pod),
    "statefulset.kubernetes.io/pod-name": podName,
    "apps.kubernetes.io/pod-index": String(ordinal),
    [REVISION_HASH]: revision,
  };
  const spec = pod.spec ?? { containers: [] };
  const subdomain = set.spec?.serviceName ? { subdomain: set.spec.serviceName } : {};
  const claims = claimsOf(set, ordinal);
  const volumes = claims.map((claim, index) => ({
    name: set.spec?.volumeClaimTemplates?.[index]?.metadata?.name ?? "",
    persistentVolumeClaim: { claimName: identityOf(claim).name },
  }));
  const others = (spec.volumes ?? []).filter((volume) => !volumes.some((own) => own.name === volume.name));
  return {
    metadata: { ...pod.metadata, namespace, name: podName, labels },
    spec: {
      ...spec,
      hostname: podName,
      ...subdomain,
      ...(volumes.length + others.length === 0 ? {} : { volumes: [...volumes, ...others] }),
    },
  };
}

/** The claims of a pod, in the order of their templates; not yet made. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  const { namespace, name } = identityOf(set);
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => {
    const { metadata, spec } = template;
    return {
      metadata: {
        ...(metadata?.annotations === undefined ? {} : { annotations: metadata.annotations }),
        namespace,
        name: `${metadata?.name}-${name}-${ordinal}`,
        labels: { ...metadata?.labels, ...set.spec?.selector.matchLabels },
      },
      ...(spec === undefined ? {} : { spec }),
    };
  });
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === "Running" && isReady(pod);
}

export function isAvailable(set: StatefulSet, pod: Pod, now: number): boolean {
  return untilAvailable(pod, set.spec?.minReadySeconds ?? 0, now) === 0;
}

/** Counts the pods; a rolling update that is through makes the update revision the current one. */
export function countPods(
  set: StatefulSet,
  pods: readonly Pod[],
  revisions: { current: string; update: string },
  now: number,
): StatefulSetStatus {
  const ofRevision = (revision: string) =>
    pods.filter((pod) => !isBeingDeleted(pod) && labelsOf(pod)[REVISION_HASH] === revision).length;
  const ready = pods.filter(isRunningAndReady);
  const status = {
    observedGeneration: set.metadata?.generation ?? 0,
    replicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isAvailable(set, pod, now)).length,
    currentReplicas: ofRevision(revisions.current),
    updatedReplicas: ofRevision(revisions.update),
    currentRevision: revisions.current,
    updateRevision: revisions.update,
    collisionCount: set.status?.collisionCount ?? 0,
  };
  const wanted = replicasOf(set);
  const through = [status.updatedReplicas, status.readyReplicas, status.replicas].every((count) => count === wanted);
  if (set.spec?.updateStrategy?.type !== "RollingUpdate" || !through) return status;
  return { ...status, currentReplicas: status.updatedReplicas, currentRevision: status.updateRevision };
}
