import type { LabelSelector, LabelSelectorRequirement } from "./gen/types.ts";

type Labels = Readonly<Record<string, string>>;

const OPERATORS: Readonly<Record<string, (value: string | undefined, values: readonly string[]) => boolean>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
};

/** Whether the labels satisfy a `metav1.LabelSelector`. An empty selector matches all; an unknown operator nothing. */
export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  return (
    matchesLabels(selector.matchLabels ?? {}, labels) &&
    (selector.matchExpressions ?? []).every((requirement) => meetsRequirement(requirement, labels))
  );
}

/** Whether every wanted label is there with its value. */
export function matchesLabels(wanted: Labels, labels: Labels): boolean {
  return Object.entries(wanted).every(([key, value]) => ownLabel(labels, key) === value);
}

function meetsRequirement({ key, operator, values = [] }: LabelSelectorRequirement, labels: Labels): boolean {
  return OPERATORS[operator]?.(ownLabel(labels, key), values) ?? false;
}

/** A label may be called `constructor`: only what the object itself has counts. */
function ownLabel(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined;
}
