// HorizontalPodAutoscalers, and PodDisruptionBudgets.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { forbidden, invalid, invalids, nonnegatives, notSupported, required } from "./field-errors.ts";
import { dnsLabel, pathSegment } from "./formats.ts";
import { checkLabelSelector, shownSelector } from "./label-selectors.ts";
import { checkSegment } from "./networking.ts";
import { checkContainerResourceName, checkNonnegativeQuantity } from "./resources.ts";
import { atMostAll, checkIntOrPercent } from "./workloads.ts";

export function checkAutoscaler(autoscaler: JsonObject, old?: JsonObject): FieldError[] {
  const spec = objectAt(autoscaler, "spec");
  const [least, most] = [numberAt(spec, "minReplicas"), numberAt(spec, "maxReplicas") ?? 0];
  const errors: FieldError[] = [];
  if (least !== undefined && least < 1)
    errors.push(invalid("spec.minReplicas", least, "must be greater than or equal to 1"));
  if (most < 1) errors.push(invalid("spec.maxReplicas", most, "must be greater than 0"));
  if (least !== undefined && most < least)
    errors.push(invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`"));
  return [
    ...errors,
    ...checkScaled(objectAt(spec, "scaleTargetRef"), old),
    ...objectsAt(spec, "metrics").flatMap((metric, index) => checkMetric(`spec.metrics[${index}]`, metric)),
    ...checkScaleToZero(spec),
    ...["scaleUp", "scaleDown"].flatMap((field) =>
      checkScaling(`spec.behavior.${field}`, objectAt(spec, "behavior")[field]),
    ),
  ];
}

/** Whoever runs nothing must learn from elsewhere that something is to do. */
function checkScaleToZero(spec: JsonObject): FieldError[] {
  const types = objectsAt(spec, "metrics").map((metric) => stringAt(metric, "type"));
  if (spec["minReplicas"] !== 0 || types.includes("Object") || types.includes("External")) return [];
  const why = "must specify at least one Object or External metric to support scaling to zero replicas";
  return [forbidden("spec.metrics", why)];
}

/** Who scales the same kind still may name it as badly as before. */
function checkScaled(reference: JsonObject, old: JsonObject | undefined): FieldError[] {
  const field = "spec.scaleTargetRef.apiVersion";
  const before = objectAt(old, "spec", "scaleTargetRef");
  const [kind, version] = [stringAt(reference, "kind"), stringAt(reference, "apiVersion")];
  const errors = checkTargetRef("spec.scaleTargetRef", reference);
  if (old !== undefined && stringAt(before, "kind") === kind && stringAt(before, "apiVersion") === version)
    return errors.filter((error) => error.field !== field);
  const grouped = version.includes("/") && !version.startsWith("/");
  if (grouped || kind === "ReplicationController") return errors;
  return [...errors, invalid(field, version, "apiVersion must specify API group")];
}

function checkTargetRef(path: string, reference: JsonObject): FieldError[] {
  const version = stringAt(reference, "apiVersion");
  const errors = ["kind", "name"].flatMap((field) => checkSegment(`${path}.${field}`, stringAt(reference, field)));
  if (version.split("/").length <= 2) return errors;
  const why = `unexpected GroupVersion string: ${version}`;
  return [...errors, invalid(`${path}.apiVersion`, version, why)];
}

const SELECT_POLICIES = ["Disabled", "Max", "Min"];
const LONGEST_WINDOW = 3600;
const LONGEST_PERIOD = 1800;

function checkScaling(path: string, rules: JsonValue | undefined): FieldError[] {
  if (!isObject(rules)) return [];
  const [window, select] = [rules["stabilizationWindowSeconds"], rules["selectPolicy"]];
  const field = `${path}.stabilizationWindowSeconds`;
  const errors: FieldError[] = [];
  if (typeof window === "number" && window < 0)
    errors.push(invalid(field, window, "must be greater than or equal to zero"));
  if (typeof window === "number" && window > LONGEST_WINDOW)
    errors.push(invalid(field, window, `must be less than or equal to ${LONGEST_WINDOW}`));
  if (select !== undefined && !SELECT_POLICIES.includes(String(select)))
    errors.push(notSupported(`${path}.selectPolicy`, select, SELECT_POLICIES));
  const policies = objectsAt(rules, "policies");
  if (policies.length === 0) errors.push(required(`${path}.policies`, "must specify at least one Policy"));
  return [
    ...errors,
    ...policies.flatMap((policy, index) => checkPolicy(`${path}.policies[${index}]`, policy)),
    ...checkNonnegativeQuantity(`${path}.tolerance`, rules["tolerance"]),
  ];
}

function checkPolicy(path: string, policy: JsonObject): FieldError[] {
  const type = stringAt(policy, "type");
  const period = numberAt(policy, "periodSeconds") ?? 0;
  const errors: FieldError[] =
    type === "Pods" || type === "Percent" ? [] : [notSupported(`${path}.type`, type, ["Percent", "Pods"])];
  for (const field of ["value", "periodSeconds"]) {
    const value = numberAt(policy, field) ?? 0;
    if (value <= 0) errors.push(invalid(`${path}.${field}`, value, "must be greater than zero"));
  }
  if (period > LONGEST_PERIOD)
    errors.push(invalid(`${path}.periodSeconds`, period, `must be less than or equal to ${LONGEST_PERIOD}`));
  return errors;
}

const METRIC_TYPES = ["ContainerResource", "External", "Object", "Pods", "Resource"];
const lower = (type: string) => (type[0] ?? "").toLowerCase() + type.slice(1);
/** In the order in which Kubernetes looks for them. */
const SOURCES = ["object", "external", "pods", "resource", "containerResource"];

function checkMetric(path: string, metric: JsonObject): FieldError[] {
  const type = stringAt(metric, "type");
  const known = METRIC_TYPES.includes(type);
  const errors: FieldError[] = type === "" ? [required(`${path}.type`, "must specify a metric source type")] : [];
  const unsupported = notSupported(`${path}.type`, type, METRIC_TYPES);
  if (!known) errors.push(unsupported);
  const present = SOURCES.filter((source) => isObject(metric[source]));
  const first = present[0];
  if (first !== undefined) errors.push(...checkSource(`${path}.${first}`, first, objectAt(metric, first)));
  if (!known) errors.push(unsupported);
  else if (!present.includes(lower(type)))
    errors.push(required(`${path}.${lower(type)}`, "must populate information for the given metric source"));
  if (present.length !== 1) {
    for (const source of present.filter((name) => name !== lower(type)))
      errors.push(forbidden(`${path}.${source}`, "must populate the given metric source only"));
  }
  return errors;
}

function checkSource(path: string, kind: string, source: JsonObject): FieldError[] {
  const errors = checkTarget(`${path}.target`, objectAt(source, "target"));
  return kind === "resource" || kind === "containerResource"
    ? checkResourceSource(path, kind, source, errors)
    : checkMetricSource(path, kind, source, errors);
}

function checkResourceSource(path: string, kind: string, source: JsonObject, errors: FieldError[]): FieldError[] {
  const { averageValue: average, averageUtilization: utilization } = objectAt(source, "target");
  const name = stringAt(source, "name");
  const head = name === "" ? [required(`${path}.name`, "must specify a resource name")] : [];
  if (kind === "containerResource") head.push(...checkContainerMetric(path, source, name));
  if (average === undefined && utilization === undefined)
    errors.push(
      required(`${path}.target.averageUtilization`, "must set either a target raw value or a target utilization"),
    );
  if (average !== undefined && utilization !== undefined)
    errors.push(
      forbidden(`${path}.target.averageValue`, "may not set both a target raw value and a target utilization"),
    );
  return [...head, ...errors];
}

function checkMetricSource(path: string, kind: string, source: JsonObject, errors: FieldError[]): FieldError[] {
  const { value, averageValue: average } = objectAt(source, "target");
  const missing = (why: string) => required(`${path}.target.averageValue`, why);
  const head = kind === "object" ? checkTargetRef(`${path}.describedObject`, objectAt(source, "describedObject")) : [];
  head.push(...checkMetricName(`${path}.metric`, stringAt(source, "metric", "name")));
  const none = value === undefined && average === undefined;
  if (kind === "object" && none) errors.push(missing("must set either a target value or averageValue"));
  if (kind === "external" && none)
    errors.push(missing("must set either a target value for metric or a per-pod target"));
  if (kind === "external" && value !== undefined && average !== undefined)
    errors.push(forbidden(`${path}.target.value`, "may not set both a target value for metric and a per-pod target"));
  if (kind === "pods" && average === undefined) errors.push(missing("must specify a positive target averageValue"));
  return [...head, ...errors];
}

function checkContainerMetric(path: string, source: JsonObject, name: string): FieldError[] {
  const container = stringAt(source, "container");
  return [
    ...(name === "" ? [] : checkContainerResourceName(`${path}.name`, name)),
    ...(container === ""
      ? [required(`${path}.container`, "must specify a container")]
      : invalids(`${path}.container`, container, dnsLabel(container))),
  ];
}

const checkMetricName = (path: string, name: string) =>
  name === ""
    ? [required(`${path}.name`, "must specify a metric name")]
    : invalids(`${path}.name`, name, pathSegment(name));

function checkTarget(path: string, target: JsonObject): FieldError[] {
  const type = stringAt(target, "type");
  const utilization = target["averageUtilization"];
  const errors: FieldError[] = type === "" ? [required(`${path}.type`, "must specify a metric target type")] : [];
  if (!["Utilization", "Value", "AverageValue"].includes(type))
    errors.push(invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
  for (const field of ["value", "averageValue"]) {
    const amount = target[field];
    if (amount !== undefined && nanoUnits(amount) <= 0n)
      errors.push(invalid(`${path}.${field}`, amount, "must be positive"));
  }
  if (typeof utilization === "number" && utilization < 1)
    errors.push(invalid(`${path}.averageUtilization`, utilization, "must be greater than 0"));
  return errors;
}

export const checkAutoscalerStatus = (autoscaler: JsonObject) =>
  nonnegatives("status", objectAt(autoscaler, "status"), ["currentReplicas", "desiredReplicas"]);

const EVICTION_POLICIES = ["AlwaysAllow", "IfHealthyBudget"];

export function checkDisruptionBudget(budget: JsonObject): FieldError[] {
  const spec = objectAt(budget, "spec");
  const policy = spec["unhealthyPodEvictionPolicy"];
  const errors: FieldError[] = [];
  // An explicit null sets nothing.
  const isSet = (field: string) => (spec[field] ?? undefined) !== undefined;
  if (isSet("minAvailable") && isSet("maxUnavailable"))
    errors.push(invalid("spec", shownBudget(spec), "minAvailable and maxUnavailable cannot be both set"));
  for (const field of ["minAvailable", "maxUnavailable"]) {
    errors.push(...checkIntOrPercent(`spec.${field}`, spec[field]), ...atMostAll(`spec.${field}`, spec[field]));
  }
  errors.push(...checkLabelSelector("spec.selector", spec["selector"]));
  if (policy !== undefined && !EVICTION_POLICIES.includes(String(policy)))
    errors.push(notSupported("spec.unhealthyPodEvictionPolicy", policy, EVICTION_POLICIES));
  return errors;
}

const shownBudget = (spec: JsonObject) => ({
  MinAvailable: spec["minAvailable"] ?? null,
  Selector: shownSelector(spec["selector"]),
  MaxUnavailable: spec["maxUnavailable"] ?? null,
  UnhealthyPodEvictionPolicy: spec["unhealthyPodEvictionPolicy"] ?? null,
});

export const checkDisruptionBudgetStatus = (budget: JsonObject) =>
  nonnegatives("status", objectAt(budget, "status"), [
    "disruptionsAllowed",
    "currentHealthy",
    "desiredHealthy",
    "expectedPods",
  ]);
