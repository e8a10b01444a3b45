// Which pods want each other near or far: required affinity and anti-affinity between pods. Pure.
import type { Node, Pod, PodAffinityTerm } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import { identityOf, labelsOf } from "../objects/object-meta.ts";
import { isFinished } from "../workloads/pod-state.ts";

export interface Neighbourhood {
  readonly nodes: readonly Node[];
  readonly podsOn: (node: string) => readonly Pod[];
}

/** undefined: nothing speaks against the node. */
export function whyApart(pod: Pod, node: Node, around: Neighbourhood): string | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  for (const term of podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    const alone = matchesOwn(pod, term) && !someMatch(pod, term, around.nodes, around);
    if (!alone && !someMatch(pod, term, domainOf(node, term, around), around)) {
      return "node(s) didn't match pod affinity rules";
    }
  }
  for (const term of podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) {
    if (someMatch(pod, term, domainOf(node, term, around), around))
      return "node(s) didn't match pod anti-affinity rules";
  }
  return undefined;
}

/** The nodes that share the node's value of the term's topology key. */
function domainOf(node: Node, { topologyKey }: PodAffinityTerm, { nodes }: Neighbourhood): Node[] {
  const value = labelsOf(node)[topologyKey];
  return value === undefined ? [] : nodes.filter((other) => labelsOf(other)[topologyKey] === value);
}

/** The first of a group that wants to be together may go anywhere. */
function matchesOwn(pod: Pod, { labelSelector, namespaces = [] }: PodAffinityTerm): boolean {
  return namespaces.length === 0 && labelSelector !== undefined && matchesSelector(labelSelector, labelsOf(pod));
}

function someMatch(pod: Pod, term: PodAffinityTerm, nodes: readonly Node[], { podsOn }: Neighbourhood): boolean {
  const { labelSelector, namespaces = [] } = term;
  if (labelSelector === undefined) return false;
  const spaces = namespaces.length === 0 ? [identityOf(pod).namespace] : namespaces;
  return nodes.some((node) =>
    podsOn(identityOf(node).name).some(
      (other) =>
        !isFinished(other) &&
        spaces.includes(identityOf(other).namespace) &&
        matchesSelector(labelSelector, labelsOf(other)),
    ),
  );
}
