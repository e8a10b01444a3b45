import { LABELS } from "#api/constants/labels";
import type { Node } from "#api/kubernetes/gen/types";
import type { NodeLocality } from "#model/proxy";
import { defined } from "./pod-facts.ts";

/** Where a node stands. */
export type NodeFacts = NodeLocality;

const OLD_REGION = "failure-domain.beta.kubernetes.io/region";
const OLD_ZONE = "failure-domain.beta.kubernetes.io/zone";

export function projectNode(node: Node): Node {
  const { name, uid, resourceVersion, labels } = node.metadata ?? {};
  return { metadata: defined({ name, uid, resourceVersion, labels }) };
}

export function nodeFacts(node: Node): NodeFacts {
  const labels = node.metadata?.labels ?? {};
  return {
    region: labels[LABELS.region] ?? labels[OLD_REGION],
    zone: labels[LABELS.zone] ?? labels[OLD_ZONE],
    subZone: labels[LABELS.subzone],
  };
}
