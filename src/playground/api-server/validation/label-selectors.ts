// Labels and label selectors inside objects.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, objectAt, objectsAt, stringAt } from "../json.ts";
import { forbidden, invalid, invalids, required } from "./field-errors.ts";
import { labelValue, qualifiedName } from "./formats.ts";

export function checkLabels(path: string, labels: JsonValue | undefined): FieldError[] {
  return Object.entries(objectAt(labels)).flatMap(([key, value]) => [
    ...checkLabelName(path, key),
    ...invalids(path, value, labelValue(String(value))),
  ]);
}

export const checkLabelName = (path: string, name: string) => invalids(path, name, qualifiedName(name));

export function checkLabelSelector(path: string, selector: JsonValue | undefined): FieldError[] {
  if (!isObject(selector)) return [];
  return [
    ...checkLabels(`${path}.matchLabels`, selector["matchLabels"]),
    ...objectsAt(selector, "matchExpressions").flatMap((expression, index) =>
      checkExpression(`${path}.matchExpressions[${index}]`, expression),
    ),
  ];
}

function checkExpression(path: string, expression: JsonObject): FieldError[] {
  const [operator, values] = [stringAt(expression, "operator"), arrayAt(expression, "values")];
  return [
    ...checkOperator(path, operator, values.length),
    ...checkLabelName(`${path}.key`, stringAt(expression, "key")),
    ...values.flatMap((value, index) => invalids(`${path}.values[${index}]`, value, labelValue(String(value)))),
  ];
}

function checkOperator(path: string, operator: string, count: number): FieldError[] {
  if (operator === "In" || operator === "NotIn") {
    return count > 0 ? [] : [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
  }
  if (operator === "Exists" || operator === "DoesNotExist") {
    const why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
    return count === 0 ? [] : [forbidden(`${path}.values`, why)];
  }
  return [invalid(`${path}.operator`, operator, "not a valid selector operator")];
}

const sorted = (labels: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Labels as messages show them: sorted, null where there are none. */
export const shownLabels = (labels: JsonValue | undefined): JsonValue => (isObject(labels) ? sorted(labels) : null);

/** A selector as messages show it. */
export function shownSelector(selector: JsonValue | undefined): JsonValue {
  if (!isObject(selector)) return null;
  const out: JsonObject = {};
  const labels = objectAt(selector, "matchLabels");
  if (Object.keys(labels).length > 0) out["matchLabels"] = sorted(labels);
  const expressions = objectsAt(selector, "matchExpressions").map((expression) => ({
    key: stringAt(expression, "key"),
    operator: stringAt(expression, "operator"),
    ...(arrayAt(expression, "values").length > 0 ? { values: arrayAt(expression, "values") } : {}),
  }));
  if (expressions.length > 0) out["matchExpressions"] = expressions;
  return out;
}

export const isEmptySelector = (selector: JsonValue | undefined) =>
  Object.keys(objectAt(selector, "matchLabels")).length + arrayAt(selector, "matchExpressions").length === 0;

/** Undefined when the selector cannot be understood. A selector that is not there selects nothing. */
export function selects(selector: JsonValue | undefined, labels: JsonObject): boolean | undefined {
  if (!isObject(selector)) return false;
  if (checkLabelSelector("", selector).length > 0) return undefined;
  const equal = Object.entries(objectAt(selector, "matchLabels")).every(([key, value]) => labels[key] === value);
  return equal && objectsAt(selector, "matchExpressions").every((expression) => matches(expression, labels));
}

function matches(expression: JsonObject, labels: JsonObject): boolean {
  const [key, operator] = [stringAt(expression, "key"), stringAt(expression, "operator")];
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const among = value !== undefined && arrayAt(expression, "values").includes(value);
  const answers: Readonly<Record<string, boolean>> = {
    In: among,
    NotIn: !among,
    Exists: value !== undefined,
    DoesNotExist: value === undefined,
  };
  return answers[operator] ?? false;
}
