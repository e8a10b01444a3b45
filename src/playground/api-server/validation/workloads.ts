// Deployments, ReplicaSets, StatefulSets, DaemonSets, ReplicationControllers and ControllerRevisions.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import {
  forbidden,
  IMMUTABLE,
  invalid,
  invalids,
  nonnegative,
  nonnegatives,
  notSupported,
  required,
} from "./field-errors.ts";
import { percent } from "./formats.ts";
import { checkLabelSelector, isEmptySelector, selects, shownLabels, shownSelector } from "./label-selectors.ts";
import { checkPodTemplate } from "./pods/pods.ts";

export function checkIntOrPercent(field: string, value: JsonValue | undefined): FieldError[] {
  if (typeof value === "string") return invalids(field, value, percent(value));
  return nonnegative(field, value);
}

const isPercent = (value: JsonValue | undefined): value is string =>
  typeof value === "string" && percent(value).length === 0;
const amount = (value: JsonValue | undefined) =>
  isPercent(value) ? Number.parseInt(value, 10) : Number(value ?? 0) || 0;

export function atMostAll(field: string, value: JsonValue | undefined): FieldError[] {
  return isPercent(value) && amount(value) > 100 ? [invalid(field, value, "must not be greater than 100%")] : [];
}

const TEMPLATE = "spec.template";

/** Selector and template; `kind` as messages name it. */
export function checkSelector(spec: JsonObject, kind: string): FieldError[] {
  const selector = spec["selector"];
  if (!isObject(selector)) return [required("spec.selector")];
  const errors = checkLabelSelector("spec.selector", selector);
  if (isEmptySelector(selector))
    errors.push(invalid("spec.selector", shownSelector(selector), `empty selector is invalid for ${kind}`));
  return errors;
}

const NO_MATCH = "`selector` does not match template `labels`";

export function checkMatch(spec: JsonObject): FieldError[] {
  const labels = objectAt(spec, "template", "metadata")["labels"];
  const selector = spec["selector"];
  if ((isObject(selector) && isEmptySelector(selector)) || selects(selector, objectAt(labels)) !== false) return [];
  return [invalid(`${TEMPLATE}.metadata.labels`, shownLabels(labels), NO_MATCH)];
}

export function checkTemplateLife(spec: JsonObject, kind: string): FieldError[] {
  const pod = objectAt(spec, "template", "spec");
  const policy = stringAt(pod, "restartPolicy");
  const errors: FieldError[] = [];
  if (policy !== "Always") errors.push(notSupported(`${TEMPLATE}.spec.restartPolicy`, policy, ["Always"]));
  if (pod["activeDeadlineSeconds"] !== undefined) {
    const why = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbidden(`${TEMPLATE}.spec.activeDeadlineSeconds`, why));
  }
  return errors;
}

function checkReplicaTemplate(spec: JsonObject): FieldError[] {
  if (selects(spec["selector"], {}) === undefined)
    return [invalid("spec.selector", shownSelector(spec["selector"]), "invalid label selector")];
  return [
    ...checkMatch(spec),
    ...checkPodTemplate(TEMPLATE, objectAt(spec, "template")),
    ...checkTemplateLife(spec, "ReplicaSet"),
  ];
}

export function checkDeployment(deployment: JsonObject): FieldError[] {
  const spec = objectAt(deployment, "spec");
  const [deadline, ready] = [spec["progressDeadlineSeconds"], numberAt(spec, "minReadySeconds") ?? 0];
  return [
    ...nonnegative("spec.replicas", spec["replicas"]),
    ...checkSelector(spec, "deployment"),
    ...checkReplicaTemplate(spec),
    ...checkStrategy("spec.strategy", objectAt(spec, "strategy")),
    ...nonnegatives("spec", spec, ["minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"]),
    ...(typeof deadline === "number" && deadline <= ready
      ? [invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")]
      : []),
  ];
}

function checkStrategy(path: string, strategy: JsonObject): FieldError[] {
  const [type, rolling] = [stringAt(strategy, "type"), strategy["rollingUpdate"]];
  const at = `${path}.rollingUpdate`;
  if (type === "Recreate")
    return isObject(rolling) ? [forbidden(at, "may not be specified when strategy `type` is 'Recreate'")] : [];
  if (type === "RollingUpdate") {
    if (!isObject(rolling)) return [required(at, "this should be defaulted and never be nil")];
    const [surge, unavailable] = [rolling["maxSurge"], rolling["maxUnavailable"]];
    const field = `${at}.maxUnavailable`;
    const none = amount(surge) === 0 && amount(unavailable) === 0;
    return [
      ...checkIntOrPercent(field, unavailable),
      ...checkIntOrPercent(`${at}.maxSurge`, surge),
      ...(none ? [invalid(field, unavailable, "may not be 0 when `maxSurge` is 0")] : []),
      ...atMostAll(field, unavailable),
    ];
  }
  return [notSupported(path, shownStrategy(type, rolling), ["Recreate", "RollingUpdate"])];
}

/** Go shows its own field names. */
const shownStrategy = (type: string, rolling: JsonValue | undefined) => ({
  Type: type,
  RollingUpdate: isObject(rolling)
    ? { MaxUnavailable: rolling["maxUnavailable"] ?? 0, MaxSurge: rolling["maxSurge"] ?? 0 }
    : null,
});

export function checkSelectorUpdate(object: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [objectAt(object, "spec")["selector"], objectAt(old, "spec")["selector"]];
  return deepEqual(next, before) ? [] : [invalid("spec.selector", shownSelector(next), IMMUTABLE)];
}

export function checkReplicaSet(set: JsonObject): FieldError[] {
  const spec = objectAt(set, "spec");
  return [
    ...nonnegatives("spec", spec, ["replicas", "minReadySeconds"]),
    ...checkSelector(spec, "deployment"),
    ...checkReplicaTemplate(spec),
  ];
}

export function checkDaemonSet(set: JsonObject): FieldError[] {
  const spec = objectAt(set, "spec");
  const [selector, labels] = [spec["selector"], objectAt(spec, "template", "metadata")["labels"]];
  return [
    ...checkLabelSelector("spec.selector", selector),
    ...(selects(selector, objectAt(labels)) === false
      ? [invalid(`${TEMPLATE}.metadata.labels`, shownLabels(labels), NO_MATCH)]
      : []),
    ...(isObject(selector) && isEmptySelector(selector)
      ? [invalid("spec.selector", shownSelector(selector), "empty selector is invalid for daemonset")]
      : []),
    ...checkPodTemplate(TEMPLATE, objectAt(spec, "template")),
    ...checkTemplateLife(spec, "DaemonSet"),
    ...nonnegative("spec.minReadySeconds", spec["minReadySeconds"]),
    ...checkDaemonStrategy("spec.updateStrategy", objectAt(spec, "updateStrategy")),
    ...nonnegative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"]),
  ];
}

function checkDaemonStrategy(path: string, strategy: JsonObject): FieldError[] {
  const [type, rolling] = [stringAt(strategy, "type"), strategy["rollingUpdate"]];
  if (type === "OnDelete") return [];
  if (type !== "RollingUpdate")
    return [notSupported(path, shownStrategy(type, rolling), ["RollingUpdate", "OnDelete"])];
  const at = `${path}.rollingUpdate`;
  if (!isObject(rolling)) return [required(at)];
  const [surge, unavailable] = [rolling["maxSurge"], rolling["maxUnavailable"]];
  const errors = [
    ...checkIntOrPercent(`${at}.maxUnavailable`, unavailable),
    ...checkIntOrPercent(`${at}.maxSurge`, surge),
    ...atMostAll(`${at}.maxUnavailable`, unavailable),
    ...atMostAll(`${at}.maxSurge`, surge),
  ];
  if (amount(unavailable) !== 0 && amount(surge) !== 0)
    errors.push(invalid(`${at}.maxSurge`, surge, "may not be set when maxUnavailable is non-zero"));
  if (amount(unavailable) === 0 && amount(surge) === 0)
    errors.push(required(`${at}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
  return errors;
}

export function checkReplicationController(controller: JsonObject): FieldError[] {
  const spec = objectAt(controller, "spec");
  const selector = objectAt(spec, "selector");
  const labels = objectAt(spec, "template", "metadata")["labels"];
  const matches = Object.entries(selector).every(([key, value]) => objectAt(labels)[key] === value);
  const errors = nonnegative("spec.minReadySeconds", spec["minReadySeconds"]);
  if (Object.keys(selector).length === 0) errors.push(required("spec.selector"));
  errors.push(...nonnegative("spec.replicas", spec["replicas"]));
  if (!isObject(spec["template"])) return [...errors, required(TEMPLATE)];
  if (!matches) errors.push(invalid(`${TEMPLATE}.metadata.labels`, shownLabels(labels), NO_MATCH));
  return [
    ...errors,
    ...checkPodTemplate(TEMPLATE, spec["template"]),
    ...checkTemplateLife(spec, "ReplicationController"),
  ];
}

export function checkControllerRevision(revision: JsonObject): FieldError[] {
  return nonnegative("revision", revision["revision"]);
}

export function checkControllerRevisionCreate(revision: JsonObject): FieldError[] {
  const data = revision["data"];
  const errors = checkControllerRevision(revision);
  if (data === undefined || data === null) return [...errors, required("data", "data is mandatory")];
  return isObject(data) ? errors : [...errors, required("data", "data must be a valid JSON object")];
}

export function checkControllerRevisionUpdate(revision: JsonObject, old: JsonObject): FieldError[] {
  return deepEqual(revision["data"], old["data"]) ? [] : [invalid("data", revision["data"], IMMUTABLE)];
}
