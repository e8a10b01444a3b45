// Which nodes a pod asks for: by selector and by required node affinity. Pure.
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "#api/kubernetes/gen/types";
import { matchesLabels } from "#api/kubernetes/label-selector";
import { identityOf, labelsOf } from "../objects/object-meta.ts";

export function asksFor(pod: Pod, node: Node): boolean {
  if (!matchesLabels(pod.spec?.nodeSelector ?? {}, labelsOf(node))) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

/** An empty term matches no node. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields = { "metadata.name": identityOf(node).name };
  return (
    matchExpressions.every((requirement) => meets(requirement, labelsOf(node))) &&
    matchFields.every((requirement) => meets(requirement, fields))
  );
}

const OPERATORS: Readonly<Record<string, (value: string | undefined, values: readonly string[]) => boolean>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
  Gt: (value, [limit]) => value !== undefined && Number(value) > Number(limit),
  Lt: (value, [limit]) => value !== undefined && Number(value) < Number(limit),
};

function meets(
  { key, operator, values = [] }: NodeSelectorRequirement,
  from: Readonly<Record<string, string>>,
): boolean {
  return OPERATORS[operator]?.(from[key], values) === true;
}
