// Where a DaemonSet's pods belong and what they look like. Pure.

import { Kinds } from "#api/kinds";
import type { DaemonSet, Node, Pod, Toleration } from "#api/kubernetes/gen/types";
import { annotationsOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { asksFor } from "../scheduling/node-affinity.ts";
import { untolerated } from "../scheduling/node-fit.ts";
import { podFromTemplate } from "../workloads/pod-from-template.ts";
import { isReady, untilAvailable } from "../workloads/pod-state.ts";
import { REVISION_HASH } from "./stateful-pods.ts";

const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";
/** Troubles of a node that do not drive its daemons away, with the effect of the taint. */
const BORNE: readonly (readonly [string, string])[] = [
  ["not-ready", "NoExecute"],
  ["unreachable", "NoExecute"],
  ["disk-pressure", "NoSchedule"],
  ["memory-pressure", "NoSchedule"],
  ["pid-pressure", "NoSchedule"],
  ["unschedulable", "NoSchedule"],
];

export function buildDaemonPod(set: DaemonSet, hash: string, nodeName: string): Pod {
  const pod = podFromTemplate(Kinds.DaemonSet, set, set.spec?.template);
  const spec = pod.spec ?? { containers: [] };
  const generation = annotationsOf(set)[TEMPLATE_GENERATION];
  const labels = {
    ...labelsOf(pod),
    ...(generation === undefined ? {} : { "pod-template-generation": generation }),
    [REVISION_HASH]: hash,
  };
  const term = { matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] };
  const nodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
  };
  return {
    metadata: { ...pod.metadata, labels },
    spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity }, tolerations: tolerationsOf(set) },
  };
}

function tolerationsOf({ spec }: DaemonSet): Toleration[] {
  const own = spec?.template.spec?.tolerations ?? [];
  const network = spec?.template.spec?.hostNetwork === true ? [["network-unavailable", "NoSchedule"] as const] : [];
  const added = [...BORNE, ...network].map(([trouble, effect]) => ({
    key: `node.kubernetes.io/${trouble}`,
    operator: "Exists",
    effect,
  }));
  const replaced = new Set(added.map(({ key, effect }) => `${key} ${effect}`));
  return [...own.filter(({ key, effect }) => !replaced.has(`${key} ${effect}`)), ...added];
}

/** Whether a pod is to be made on the node, and whether one that is there may stay. */
export function placementOn(set: DaemonSet, node: Node): { runs: boolean; stays: boolean } {
  const wanted: Pod = { spec: { ...(set.spec?.template.spec ?? { containers: [] }), tolerations: tolerationsOf(set) } };
  const named = wanted.spec?.nodeName;
  if ((named && named !== identityOf(node).name) || !asksFor(wanted, node)) return { runs: false, stays: false };
  const taints = untolerated(node, wanted);
  return { runs: taints.length === 0, stays: taints.every(({ effect }) => effect !== "NoExecute") };
}

/** The node that a daemon is on or waits for. */
export function nodeOf({ spec }: Pod): string {
  if (spec?.nodeName) return spec.nodeName;
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const field = terms.flatMap(({ matchFields = [] }) => matchFields).find(({ key }) => key === "metadata.name");
  return field?.values?.[0] ?? "";
}

export function byAge(a: Pod, b: Pod): number {
  const created = (pod: Pod) => Date.parse(pod.metadata?.creationTimestamp ?? "") || 0;
  const bound = (pod: Pod) => Number(Boolean(pod.spec?.nodeName));
  return bound(b) - bound(a) || created(a) - created(b);
}

export function hashOn(pod: Pod): string {
  return labelsOf(pod)[REVISION_HASH] ?? "";
}

export function isDaemonAvailable(set: DaemonSet, pod: Pod, now: number): boolean {
  return untilAvailable(pod, set.spec?.minReadySeconds ?? 0, now) === 0;
}

export interface DaemonLook {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Pods by the node that they are on or wait for, those being deleted included. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  readonly hash: string;
  readonly now: number;
}

export function countDaemons({ set, nodes, pods, hash, now }: DaemonLook) {
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, updated: 0, available: 0 };
  for (const node of nodes) {
    const [pod] = [...(pods.get(identityOf(node).name) ?? [])].sort(byAge);
    if (!placementOn(set, node).runs) {
      if (pod !== undefined) counts.misscheduled += 1;
      continue;
    }
    counts.desired += 1;
    if (pod === undefined) continue;
    counts.current += 1;
    if (isReady(pod)) counts.ready += 1;
    if (isReady(pod) && isDaemonAvailable(set, pod, now)) counts.available += 1;
    if (hashOn(pod) === hash) counts.updated += 1;
  }
  return counts;
}

/** The newest pod of a node's living pods of today's revision, and of another; undefined when there are several. */
export function pairOn(
  pods: readonly Pod[],
  hash: string,
): { current: Pod | undefined; old: Pod | undefined } | undefined {
  const living = pods.filter((pod) => !isBeingDeleted(pod));
  const current = living.filter((pod) => hashOn(pod) === hash);
  const old = living.filter((pod) => hashOn(pod) !== hash);
  return current.length > 1 || old.length > 1 ? undefined : { current: current[0], old: old[0] };
}
