import { matchesSelector as matches } from "#api/kubernetes/label-selector";
import type { JsonObject } from "./contract.ts";
import { arrayAt, objectAt, objectsAt, stringAt } from "./json.ts";

/** Matches labels against a LabelSelector as JSON (matchLabels, matchExpressions). An empty one matches everything. */
export function matchesSelector(selector: JsonObject, labels: JsonObject): boolean {
  const matchExpressions = objectsAt(selector, "matchExpressions").map((term) => ({
    key: stringAt(term, "key"),
    operator: stringAt(term, "operator"),
    values: arrayAt(term, "values").map(String),
  }));
  return matches({ matchLabels: texts(objectAt(selector, "matchLabels")), matchExpressions }, texts(labels));
}

function texts(object: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, String(value)]));
}
