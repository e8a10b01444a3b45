// Whether a pod may run on a node. Returns the sentence the scheduler shows, so that "why not?" has an answer.
import type { Node, Pod, Taint, Toleration } from "#api/kubernetes/gen/types";
import { isBeingDeleted } from "../objects/object-meta.ts";
import { asksFor } from "./node-affinity.ts";

const HARD_EFFECTS = new Set(["NoSchedule", "NoExecute"]);

/** undefined: the pod fits. Otherwise why not, worded to follow "1 ". */
export function whyNotOn(node: Node, pod: Pod): string | undefined {
  if (isBeingDeleted(node)) return "node(s) were being deleted";
  const taint = untolerated(node, pod)[0];
  if (node.spec?.unschedulable === true && taint?.key !== UNSCHEDULABLE && !toleratesCordon(pod)) {
    return "node(s) were unschedulable";
  }
  if (taint?.key === UNSCHEDULABLE) return "node(s) were unschedulable";
  if (taint !== undefined) return `node(s) had untolerated taint(s)`;
  if (!asksFor(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
  return undefined;
}

const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";

function toleratesCordon({ spec }: Pod): boolean {
  const cordon = { key: UNSCHEDULABLE, effect: "NoSchedule" };
  return (spec?.tolerations ?? []).some((toleration) => tolerates(toleration, cordon));
}

/** Taints that keep the pod away. */
export function untolerated(node: Node, pod: Pod): Taint[] {
  return (node.spec?.taints ?? []).filter(
    (taint) =>
      HARD_EFFECTS.has(taint.effect) &&
      !(pod.spec?.tolerations ?? []).some((toleration) => tolerates(toleration, taint)),
  );
}

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (!toleration.key) return toleration.operator === "Exists";
  if (toleration.key !== taint.key) return false;
  return toleration.operator === "Exists" || (toleration.value ?? "") === (taint.value ?? "");
}
