// Which objects a quota with scopes is about.
import type { JsonObject } from "../../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import { matchesSelector } from "../../label-selector.ts";
import { qosClass } from "../../strategy/quality-of-service.ts";

interface ScopeTerm {
  readonly scopeName: string;
  readonly operator: string;
  readonly values: readonly string[];
}

/** A quota's scopes, the plain ones as terms that ask for existence. */
export function scopesOf(quota: JsonObject): readonly ScopeTerm[] {
  const plain = (Array.isArray(objectAt(quota, "spec")["scopes"]) ? objectAt(quota, "spec")["scopes"] : []) as string[];
  return [
    ...plain.map((scopeName) => ({ scopeName, operator: "Exists", values: [] })),
    ...objectsAt(quota, "spec", "scopeSelector", "matchExpressions").map((term) => ({
      scopeName: stringAt(term, "scopeName"),
      operator: stringAt(term, "operator"),
      values: Array.isArray(term["values"]) ? term["values"].map(String) : [],
    })),
  ];
}

export type ScopeMatcher = (object: JsonObject, term: ScopeTerm) => boolean;

const TERMINATING = (pod: JsonObject) => (numberAt(pod, "spec", "activeDeadlineSeconds") ?? -1) >= 0;
const BEST_EFFORT = (pod: JsonObject) => qosClass(objectAt(pod, "spec")) === "BestEffort";

const POD_SCOPES: Readonly<Record<string, (pod: JsonObject, term: ScopeTerm) => boolean>> = {
  Terminating: TERMINATING,
  NotTerminating: (pod) => !TERMINATING(pod),
  BestEffort: BEST_EFFORT,
  NotBestEffort: (pod) => !BEST_EFFORT(pod),
  PriorityClass: (pod, term) => namesMatch([stringAt(pod, "spec", "priorityClassName")], term),
  CrossNamespacePodAffinity: (pod) =>
    ["podAffinity", "podAntiAffinity"].some((sort) => crossesNamespaces(objectAt(pod, "spec", "affinity", sort))),
};

export const podInScope: ScopeMatcher = (pod, term) => POD_SCOPES[term.scopeName]?.(pod, term) ?? false;

/** Claims know the scope of their attributes classes only: the one asked for, the present one, the one to come. */
export const claimInScope: ScopeMatcher = (claim, term) =>
  term.scopeName === "VolumeAttributesClass" &&
  namesMatch(
    [
      stringAt(claim, "spec", "volumeAttributesClassName"),
      stringAt(claim, "status", "currentVolumeAttributesClassName"),
      stringAt(claim, "status", "modifyVolumeStatus", "targetVolumeAttributesClassName"),
    ],
    term,
  );

/** All other objects are in no scope. */
export const noScope: ScopeMatcher = () => false;

function namesMatch(all: readonly string[], { operator, values }: ScopeTerm): boolean {
  const names = all.filter((name) => name !== "");
  if (operator === "Exists") return names.length > 0;
  const selector: JsonObject = { matchExpressions: [{ key: "class", operator, values: [...values] }] };
  if (names.length === 0) return matchesSelector(selector, {});
  return names.some((name) => matchesSelector(selector, { class: name }));
}

function crossesNamespaces(affinity: JsonObject): boolean {
  const terms = [
    ...objectsAt(affinity, "requiredDuringSchedulingIgnoredDuringExecution"),
    ...objectsAt(affinity, "preferredDuringSchedulingIgnoredDuringExecution").map((one) =>
      objectAt(one, "podAffinityTerm"),
    ),
  ];
  return terms.some(
    (term) =>
      (Array.isArray(term["namespaces"]) && term["namespaces"].length > 0) || term["namespaceSelector"] !== undefined,
  );
}
