// ResourceQuotas and LimitRanges.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, objectAt, objectsAt, stringAt } from "../json.ts";
import { canonicalQuantity, nanoUnits } from "../quantity.ts";
import { duplicate, forbidden, IMMUTABLE, invalid, invalids, required } from "./field-errors.ts";
import { qualifiedName } from "./formats.ts";
import {
  checkContainerResourceName,
  checkQuotaResourceName,
  checkResourceName,
  checkResourceValue,
  isOvercommitAllowed,
  isStandardQuotaResource,
} from "./resources.ts";

const POD_COMPUTE = ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];
/** Resources that each scope can count. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  Terminating: ["pods", ...POD_COMPUTE],
  NotTerminating: ["pods", ...POD_COMPUTE],
  NotBestEffort: ["pods", ...POD_COMPUTE],
  PriorityClass: ["pods", ...POD_COMPUTE],
  CrossNamespacePodAffinity: ["pods", ...POD_COMPUTE],
  BestEffort: ["pods"],
  VolumeAttributesClass: ["persistentvolumeclaims", "requests.storage"],
};
const ONLY_EXISTS = ["BestEffort", "NotBestEffort", "Terminating", "NotTerminating", "CrossNamespacePodAffinity"];
const OPPOSITES = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
];

function checkAmounts(path: string, amounts: JsonObject): FieldError[] {
  return Object.entries(amounts).flatMap(([name, value]) => [
    ...checkQuotaResourceName(`${path}[${name}]`, name),
    ...checkResourceValue(`${path}[${name}]`, name, value),
  ]);
}

export function checkQuota(quota: JsonObject): FieldError[] {
  const spec = objectAt(quota, "spec");
  return [
    ...checkAmounts("spec.hard", objectAt(spec, "hard")),
    ...checkScopes(spec),
    ...checkScopeSelector(spec),
    ...checkQuotaStatus(quota),
  ];
}

export const checkQuotaStatus = (quota: JsonObject) =>
  ["hard", "used"].flatMap((field) => checkAmounts(`status.${field}`, objectAt(quota, "status", field)));

const uncountable = (scope: string, spec: JsonObject) =>
  Object.keys(objectAt(spec, "hard")).filter(
    (name) => isStandardQuotaResource(name) && SCOPES[scope]?.includes(name) === false,
  );

const conflicts = (scopes: readonly string[]) =>
  OPPOSITES.filter((pair) => pair.every((scope) => scopes.includes(scope)));

function checkScopes(spec: JsonObject): FieldError[] {
  const scopes = arrayAt(spec, "scopes").map(String);
  const refuse = (why: string) => invalid("spec.scopes", scopes, why);
  return [
    ...scopes.flatMap((scope) => [
      ...(SCOPES[scope] === undefined ? [refuse("unsupported scope")] : []),
      ...uncountable(scope, spec).map(() => refuse("unsupported scope applied to resource")),
    ]),
    ...conflicts(scopes).map(() => refuse("conflicting scopes")),
  ];
}

function checkScopeSelector(spec: JsonObject): FieldError[] {
  const path = "spec.scopeSelector.matchExpressions";
  const expressions = objectsAt(spec, "scopeSelector", "matchExpressions");
  const errors = expressions.flatMap((expression) => checkScopeExpression(path, expression, spec));
  const scopes = expressions.map((expression) => stringAt(expression, "scopeName"));
  return [...errors, ...conflicts(scopes).map(() => invalid(path, spec["scopes"] ?? null, "conflicting scopes"))];
}

const shownScopes = (selector: JsonObject): JsonObject => ({
  MatchExpressions: objectsAt(selector, "matchExpressions").map((expression) => ({
    ScopeName: stringAt(expression, "scopeName"),
    Operator: stringAt(expression, "operator"),
    Values: expression["values"] ?? null,
  })),
});

function checkScopeExpression(path: string, expression: JsonObject, spec: JsonObject): FieldError[] {
  const [scope, operator] = [stringAt(expression, "scopeName"), stringAt(expression, "operator")];
  const values = arrayAt(expression, "values");
  const errors: FieldError[] =
    SCOPES[scope] === undefined ? [invalid(`${path}.scopeName`, scope, "unsupported scope")] : [];
  errors.push(
    ...uncountable(scope, spec).map(() =>
      invalid(path, shownScopes(objectAt(spec, "scopeSelector")), "unsupported scope applied to resource"),
    ),
  );
  if (ONLY_EXISTS.includes(scope) && operator !== "Exists") {
    const list =
      "ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
    errors.push(invalid(`${path}.operator`, operator, `must be 'Exists' when scope is any of ${list}`));
  }
  if (operator === "In" || operator === "NotIn") {
    const why = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
    if (values.length === 0) errors.push(required(`${path}.values`, why));
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    const why = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
    if (values.length > 0) errors.push(invalid(`${path}.values`, values, why));
  } else errors.push(invalid(`${path}.operator`, operator, "not a valid selector operator"));
  return errors;
}

export function checkQuotaUpdate(quota: JsonObject, old: JsonObject): FieldError[] {
  const scopes = (object: JsonObject) => [...new Set(arrayAt(object, "spec", "scopes").map(String))].sort();
  if (deepEqual(scopes(quota), scopes(old))) return [];
  return [invalid("spec.scopes", objectAt(quota, "spec")["scopes"] ?? null, IMMUTABLE)];
}

const LIMIT_TYPES = ["Pod", "Container", "PersistentVolumeClaim"];
const FIELDS = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];

export function checkLimitRange(range: JsonObject): FieldError[] {
  const seen = new Set<string>();
  return objectsAt(range, "spec", "limits").flatMap((limit, index) => {
    const path = `spec.limits[${index}]`;
    const type = stringAt(limit, "type");
    const errors = checkLimitType(`${path}.type`, type);
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
    return [...errors, ...checkLimitNames(path, type, limit), ...checkLimitAmounts(path, type, limit)];
  });
}

function checkLimitType(field: string, type: string): FieldError[] {
  const errors = invalids(field, type, qualifiedName(type));
  if (errors.length > 0 || type.includes("/") || LIMIT_TYPES.includes(type)) return errors;
  return [invalid(field, type, "must be a standard limit type or fully qualified")];
}

const POD_HAS_NONE = ["default", "defaultRequest"];

function checkLimitNames(path: string, type: string, limit: JsonObject): FieldError[] {
  const checkName = type === "Pod" || type === "Container" ? checkContainerResourceName : checkResourceName;
  const errors = FIELDS.flatMap((field) => {
    const amounts = objectAt(limit, field);
    if (type === "Pod" && POD_HAS_NONE.includes(field)) {
      const given = Object.keys(amounts).length > 0;
      return given ? [forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'")] : [];
    }
    return Object.keys(amounts).flatMap((name) => checkName(`${path}.${field}[${name}]`, name));
  });
  const storage = ["min", "max"].some((field) => objectAt(limit, field)["storage"] !== undefined);
  if (type === "PersistentVolumeClaim" && !storage) {
    const why = "either minimum or maximum storage value is required, but neither was provided";
    errors.push(required(`${path}.limits`, why));
  }
  return errors;
}

/** The first must not be more than the second. */
const ORDERS = [
  { low: "min", high: "max", at: "min", low_: "min value", high_: "max value", shown: "min" },
  {
    low: "min",
    high: "defaultRequest",
    at: "defaultRequest",
    low_: "min value",
    high_: "default request value",
    shown: "defaultRequest",
  },
  {
    low: "defaultRequest",
    high: "max",
    at: "defaultRequest",
    low_: "default request value",
    high_: "max value",
    shown: "defaultRequest",
  },
  {
    low: "defaultRequest",
    high: "default",
    at: "defaultRequest",
    low_: "default request value",
    high_: "default limit value",
    shown: "defaultRequest",
  },
  { low: "min", high: "default", at: "default", low_: "min value", high_: "default value", shown: "min" },
  { low: "default", high: "max", at: "default", low_: "default value", high_: "max value", shown: "max" },
] as const;

function checkLimitAmounts(path: string, type: string, limit: JsonObject): FieldError[] {
  const amounts = (field: string) => (type === "Pod" && POD_HAS_NONE.includes(field) ? {} : objectAt(limit, field));
  const names = new Set(FIELDS.flatMap((field) => Object.keys(amounts(field))));
  return [...names].flatMap((name) => {
    const of = (field: string) => {
      const value = amounts(field)[name];
      return value === undefined ? undefined : canonicalQuantity(String(value));
    };
    const errors = ORDERS.flatMap((order): FieldError[] => {
      const [low, high] = [of(order.low), of(order.high)];
      if (low === undefined || high === undefined || nanoUnits(low) <= nanoUnits(high)) return [];
      const why = `${order.low_} ${low} is greater than ${order.high_} ${high}`;
      return [invalid(`${path}.${order.at}[${name}]`, of(order.shown), why)];
    });
    return [...errors, ...checkRatio(`${path}.maxLimitRequestRatio[${name}]`, of), ...checkEqual(path, name, of)];
  });
}

type AmountOf = (field: string) => string | undefined;

function checkRatio(field: string, of: AmountOf): FieldError[] {
  const [ratio, least, most] = [of("maxLimitRequestRatio"), of("min"), of("max")];
  if (ratio === undefined) return [];
  const errors = nanoUnits(ratio) < 1_000_000_000n ? [invalid(field, ratio, `ratio ${ratio} is less than 1`)] : [];
  if (least === undefined || most === undefined) return errors;
  const limit = Number(nanoUnits(most)) / Number(nanoUnits(least));
  if (Number(nanoUnits(ratio)) / 1e9 <= limit) return errors;
  return [...errors, invalid(field, ratio, `ratio ${ratio} is greater than max/min = ${limit.toFixed(6)}`)];
}

function checkEqual(path: string, name: string, of: AmountOf): FieldError[] {
  const [limit, request] = [of("default"), of("defaultRequest")];
  if (isOvercommitAllowed(name) || limit === undefined || request === undefined || limit === request) return [];
  const why = `default value ${limit} must equal to defaultRequest value ${request} in ${name}`;
  return [invalid(`${path}.defaultRequest[${name}]`, request, why)];
}
