// Whether a pod may run on a node. Returns the sentence the scheduler shows, so that "why not?" has an answer.
import type { Node, Pod, Taint, Toleration } from "#api/kubernetes/gen/types";
import { matchesLabels } from "#api/kubernetes/label-selector";
import { isBeingDeleted, labelsOf } from "../objects/object-meta.ts";

const HARD_EFFECTS = new Set(["NoSchedule", "NoExecute"]);

/** undefined: the pod fits. Otherwise why not, worded to follow "1 node(s)". */
export function whyNotOn(node: Node, pod: Pod): string | undefined {
  if (isBeingDeleted(node)) return "were being deleted";
  if (!isNodeReady(node)) return "were not ready";
  if (node.spec?.unschedulable === true) return "were unschedulable";
  const taint = (node.spec?.taints ?? []).find(
    (candidate) =>
      HARD_EFFECTS.has(candidate.effect) &&
      !(pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, candidate)),
  );
  if (taint !== undefined) return `had untolerated taint {${taint.key}: ${taint.value ?? ""}}`;
  if (!matchesLabels(pod.spec?.nodeSelector ?? {}, labelsOf(node))) {
    return "didn't match Pod's node affinity/selector";
  }
  return undefined;
}

export function isNodeReady(node: Node): boolean {
  return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (!toleration.key) return toleration.operator === "Exists";
  if (toleration.key !== taint.key) return false;
  return toleration.operator === "Exists" || (toleration.value ?? "") === (taint.value ?? "");
}
