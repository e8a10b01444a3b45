import type { JsonObject } from "./contract.ts";
import { arrayAt, objectAt, objectsAt, stringAt } from "./json.ts";

const OPERATORS: Readonly<Record<string, (has: boolean, value: unknown, values: readonly unknown[]) => boolean>> = {
  In: (has, value, values) => has && values.includes(value),
  NotIn: (has, value, values) => !has || !values.includes(value),
  Exists: (has) => has,
  DoesNotExist: (has) => !has,
};

/** Matches labels against a LabelSelector object (matchLabels, matchExpressions). An empty one matches everything. */
export function matchesSelector(selector: JsonObject, labels: JsonObject): boolean {
  const wanted = Object.entries(objectAt(selector, "matchLabels"));
  const own = (key: string) => Object.hasOwn(labels, key);
  return (
    wanted.every(([key, value]) => own(key) && labels[key] === value) &&
    objectsAt(selector, "matchExpressions").every((term) => {
      const key = stringAt(term, "key");
      return OPERATORS[stringAt(term, "operator")]?.(own(key), labels[key], arrayAt(term, "values")) ?? false;
    })
  );
}
