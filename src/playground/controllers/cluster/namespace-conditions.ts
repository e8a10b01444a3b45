// How far the end of a namespace has come, as `kubectl describe` shows it. Pure.

import type { ResourceType } from "#api/kinds";
import type { Namespace, NamespaceCondition } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { kubeTime } from "../objects/object-meta.ts";
import { withCondition } from "../workloads/conditions.ts";

/** Objects of one kind that are still there. */
export interface Remaining {
  readonly type: ResourceType;
  readonly objects: readonly KubeObject[];
}

const FINE: readonly (readonly [string, string, string])[] = [
  ["NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"],
  ["NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"],
  [
    "NamespaceDeletionContentFailure",
    "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization",
  ],
];

export function namespaceConditions(
  namespace: Namespace,
  remaining: readonly Remaining[],
  now: number,
): NamespaceCondition[] {
  const time = kubeTime(now);
  const said = FINE.map(([type, reason, message]) => ({ type, status: "False", reason, message }));
  const wanted = [...said, contentCondition(remaining), finalizerCondition(remaining)];
  return wanted.reduce<NamespaceCondition[]>(
    (conditions, condition) => withCondition(conditions, { ...condition, lastTransitionTime: time }),
    namespace.status?.conditions ?? [],
  );
}

function contentCondition(remaining: readonly Remaining[]) {
  const kinds = remaining.map(({ type, objects }) => {
    return `${type.plural}.${type.group} has ${objects.length} resource instances`;
  });
  return kinds.length === 0
    ? {
        type: "NamespaceContentRemaining",
        status: "False",
        reason: "ContentRemoved",
        message: "All content successfully removed",
      }
    : {
        type: "NamespaceContentRemaining",
        status: "True",
        reason: "SomeResourcesRemain",
        message: `Some resources are remaining: ${kinds.sort().join(", ")}`,
      };
}

function finalizerCondition(remaining: readonly Remaining[]) {
  const counts = new Map<string, number>();
  for (const object of remaining.flatMap(({ objects }) => objects)) {
    for (const finalizer of object.metadata?.finalizers ?? []) counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
  }
  const held = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, count]) => `${name} in ${count} resource instances`);
  return held.length === 0
    ? {
        type: "NamespaceFinalizersRemaining",
        status: "False",
        reason: "ContentHasNoFinalizers",
        message: "All content-preserving finalizers finished",
      }
    : {
        type: "NamespaceFinalizersRemaining",
        status: "True",
        reason: "SomeFinalizersRemain",
        message: `Some content in the namespace has finalizers remaining: ${held.join(", ")}`,
      };
}
