// What label and field selectors of a request select.
import { badRequest } from "./api-errors.ts";
import type { JsonObject } from "./contract.ts";
import { type FieldTerm, matchesFields } from "./field-selectors.ts";
import { objectAt } from "./json.ts";
import { type LabelRequirement, parseLabelSelector, SelectorFault } from "./label-selector-text.ts";
import type { ResourceKind } from "./resource-kind.ts";
import type { StoredObject } from "./store/stored-object.ts";

export type Predicate = (stored: StoredObject) => boolean;

export interface Selection {
  /** Everything is selected. */
  readonly isEmpty: boolean;
  readonly matches: Predicate;
}

export function selection(
  kind: ResourceKind,
  { labels, fields }: { readonly labels: readonly LabelRequirement[]; readonly fields: readonly FieldTerm[] },
): Selection {
  const isEmpty = labels.length === 0 && fields.length === 0;
  return {
    isEmpty,
    matches: isEmpty ? () => true : (stored) => satisfiesAll(labels, stored.labels) && hasFields(kind, fields, stored),
  };
}

/** Names are known without reading the object. */
function hasFields(kind: ResourceKind, fields: readonly FieldTerm[], stored: StoredObject): boolean {
  const others: FieldTerm[] = [];
  for (const term of fields) {
    if (term.field !== "metadata.name" && term.field !== "metadata.namespace") others.push(term);
    else if ((stored[term.field === "metadata.name" ? "name" : "namespace"] === term.value) !== term.equal)
      return false;
  }
  return others.length === 0 || matchesFields(kind, others, stored.object());
}

/** The label that narrows most of what may be selected: one that must have a value out of few. */
export function narrowingLabel(
  requirements: readonly LabelRequirement[],
): { readonly key: string; readonly values: readonly string[] } | undefined {
  return requirements.find(({ operator }) => NARROWING.has(operator));
}

const NARROWING: ReadonlySet<string> = new Set(["=", "==", "in"]);

/** Parses `a=b,c!=d,e in (f,g),!h`; nothing stands for everything. Throws 400. */
export function labelRequirements(text: string): LabelRequirement[] {
  try {
    return parseLabelSelector(text);
  } catch (thrown) {
    if (thrown instanceof SelectorFault) throw badRequest(thrown.message);
    throw thrown;
  }
}

export function matchesLabels(requirements: readonly LabelRequirement[], object: JsonObject): boolean {
  return requirements.length === 0 || satisfiesAll(requirements, objectAt(object, "metadata", "labels"));
}

function satisfiesAll(requirements: readonly LabelRequirement[], labels: JsonObject): boolean {
  return requirements.every((requirement) => satisfies(labels, requirement));
}

function satisfies(labels: JsonObject, { key, operator, values }: LabelRequirement): boolean {
  const present = Object.hasOwn(labels, key);
  if (operator === "exists" || operator === "!") return present === (operator === "exists");
  const value = String(labels[key]);
  if (operator === "gt" || operator === "lt") {
    // A value that is no integer is neither above nor below.
    if (!present || !/^[+-]?\d+$/.test(value)) return false;
    return operator === "gt" ? Number(value) > Number(values[0]) : Number(value) < Number(values[0]);
  }
  const negative = operator === "!=" || operator === "notin";
  return (present && values.includes(value)) !== negative;
}
