import { LABELS } from "#api/constants/labels";
import type { Pod } from "#api/kubernetes/gen/types";

/** The little that the mesh wants to know of a pod. */
export interface PodFacts {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  readonly serviceAccount: string;
  /** Name of the Deployment or other owner. */
  readonly workload: string;
}

/** Drops all of a pod that is not read: a cluster's pods are the bulk of what is kept. */
export function projectPod(pod: Pod): Pod {
  const { name, namespace, uid, resourceVersion, labels, ownerReferences } = pod.metadata ?? {};
  const { nodeName, serviceAccountName } = pod.spec ?? {};
  return {
    metadata: defined({ name, namespace, uid, resourceVersion, labels, ownerReferences: ownerReferences?.slice(0, 1) }),
    spec: { containers: [], ...defined({ nodeName, serviceAccountName }) },
  };
}

export function podFacts(pod: Pod): PodFacts {
  const { name = "", namespace = "", labels = {} } = pod.metadata ?? {};
  return {
    name,
    namespace,
    labels,
    node: pod.spec?.nodeName ?? "",
    serviceAccount: pod.spec?.serviceAccountName || "default",
    workload: workloadOf(pod),
  };
}

/** A Deployment's pods are owned by a ReplicaSet named `DEPLOYMENT-HASH`. */
function workloadOf(pod: Pod): string {
  const { name = "", labels = {}, ownerReferences = [] } = pod.metadata ?? {};
  const owner = ownerReferences[0];
  if (owner === undefined) return labels[LABELS.canonicalName] ?? name;
  const hash = labels["pod-template-hash"];
  const isHashed = owner.kind === "ReplicaSet" && hash !== undefined && owner.name.endsWith(`-${hash}`);
  return isHashed ? owner.name.slice(0, -hash.length - 1) : owner.name;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without the fields that are undefined. */
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
