import type { LabelSelector, LabelSelectorRequirement } from "#api/kubernetes/gen/types";

type Test = (value: string | undefined, values: readonly string[]) => boolean;

const OPERATORS: Readonly<Record<string, Test>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
};

/** Kubernetes' label selector; an empty one selects nothing here, since an empty never-inject rule must not stop all. */
export function selectsLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  const exact = Object.entries(selector.matchLabels ?? {});
  const expressions = selector.matchExpressions ?? [];
  if (exact.length + expressions.length === 0) return false;
  const holds = (rule: LabelSelectorRequirement) =>
    OPERATORS[rule.operator]?.(labels[rule.key], rule.values ?? []) ?? false;
  return exact.every(([key, value]) => labels[key] === value) && expressions.every(holds);
}
