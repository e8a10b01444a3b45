// On which node a pod goes, or Kubernetes' sentence that tells why on none. Pure.
import type { Node, Pod } from "#api/kubernetes/gen/types";
import { identityOf } from "../objects/object-meta.ts";
import { isFinished } from "../workloads/pod-state.ts";
import { whyNotOn } from "./node-fit.ts";
import { shortageOn } from "./node-resources.ts";
import { whyApart } from "./pod-affinity.ts";

/** The fitting node with the fewest pods, ties by name; or Kubernetes' sentence that tells why none fits. */
export function chooseNode(
  pod: Pod,
  nodes: readonly Node[],
  podsOn: (node: string) => readonly Pod[],
  whyNotBesides: (node: Node) => string | undefined = () => undefined,
): { node: string } | { message: string } {
  const reasons: string[] = [];
  const hopes: string[] = [];
  const fitting: string[] = [];
  for (const node of nodes) {
    const { name } = identityOf(node);
    const refusal = whyNotOn(node, pod);
    const shortage = refusal === undefined ? shortageOn(node, pod, podsOn(name)) : undefined;
    const reason = shortage ? undefined : (refusal ?? whyNotBesides(node) ?? whyApart(pod, node, { nodes, podsOn }));
    if (shortage === undefined && reason === undefined) fitting.push(name);
    reasons.push(...(shortage?.reasons ?? []), ...(reason === undefined ? [] : [reason]));
    hopes.push(shortage?.byOthers ? NO_VICTIMS : NO_HELP);
  }
  const loads = new Map(fitting.map((name) => [name, podsOn(name).filter((other) => !isFinished(other)).length]));
  const load = (name: string) => loads.get(name) ?? 0;
  const [best] = fitting.sort((a, b) => load(a) - load(b) || a.localeCompare(b));
  if (best !== undefined) return { node: best };
  if (nodes.length === 0) return { message: "no nodes available to schedule pods" };
  const available = `0/${nodes.length} nodes are available:`;
  const hope = `preemption: ${available} ${counted(hopes)}.`;
  return { message: `${available} ${counted(reasons)}. no new claims to deallocate, ${hope}` };
}

const NO_VICTIMS = "No preemption victims found for incoming pod";
const NO_HELP = "Preemption is not helpful for scheduling";

/** `1 this, 2 that`. */
function counted(words: readonly string[]): string {
  const distinct = [...new Set(words)];
  return distinct
    .map((word) => `${words.filter((one) => one === word).length} ${word}`)
    .sort()
    .join(", ");
}
