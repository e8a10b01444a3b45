// Events: those of the core group may say nearly anything, those of events.k8s.io may not, and then stay as they are.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject, numberAt, objectAt, stringAt } from "../json.ts";
import { IMMUTABLE, invalid, invalids, required } from "./field-errors.ts";
import { bytes, dnsSubdomain, qualifiedName } from "./formats.ts";
import { checkObjectMeta, checkObjectMetaUpdate } from "./object-meta.ts";

const NAMESPACE = "involvedObject.namespace";
const ELSEWHERE = "does not match event.namespace";
const LONGEST = { reportingInstance: 128, action: 128, reason: 128, message: 1024 };

/** What every event must be. */
function checkAny(event: JsonObject, group: string): FieldError[] {
  const [own, about] = [stringAt(event, "metadata", "namespace"), stringAt(event, "involvedObject", "namespace")];
  const errors = isTimed(event)
    ? checkTimed(event, group === "" ? "reportingComponent" : "reportingController")
    : (about === "" ? "default" : about) === own || own === ""
      ? []
      : [invalid(NAMESPACE, about, ELSEWHERE)];
  return [...errors, ...invalids("namespace", own, dnsSubdomain(own))];
}

const isTimed = (event: JsonObject) => typeof event["eventTime"] === "string";

function checkTimed(event: JsonObject, controllerField: string): FieldError[] {
  const [own, about] = [stringAt(event, "metadata", "namespace"), stringAt(event, "involvedObject", "namespace")];
  const controller = stringAt(event, "reportingComponent");
  const errors: FieldError[] = [];
  if (about === "" && own !== "default" && own !== "kube-system") errors.push(invalid(NAMESPACE, about, ELSEWHERE));
  if (controller === "") errors.push(required(controllerField));
  errors.push(...invalids(controllerField, controller, qualifiedName(controller)));
  for (const [field, longest] of Object.entries(LONGEST)) {
    const value = stringAt(event, field);
    if (value === "" && field !== "message") errors.push(required(field));
    if (bytes(value) > longest) errors.push(invalid(field, "", `can have at most ${longest} characters`));
  }
  return errors;
}

function checkSeries(event: JsonObject): FieldError[] {
  const series = event["series"];
  if (!isObject(series)) return [];
  return [
    ...((numberAt(series, "count") ?? 0) < 2 ? [invalid("series.count", "", "should be at least 2")] : []),
    ...(stringAt(series, "lastObservedTime") === "" ? [required("series.lastObservedTime")] : []),
  ];
}

const isSet = (value: JsonValue | undefined) => value !== undefined && value !== null && value !== 0;

/** In its kept form; `group` is that of the request. */
export function checkEvent(event: JsonObject, group: string): FieldError[] {
  const errors = checkAny(event, group);
  if (group === "") return errors;
  const type = stringAt(event, "type");
  errors.push(...checkObjectMeta(event, { name: dnsSubdomain, namespaced: true, kubeFinalizers: true }));
  errors.push(...checkSeries(event));
  if (!isTimed(event)) errors.push(required("eventTime"));
  if (type !== "Normal" && type !== "Warning") errors.push(invalid("type", "", `has invalid value: ${type}`));
  const unset = ["firstTimestamp", "lastTimestamp", "count"].filter((field) => isSet(event[field]));
  if (["component", "host"].some((field) => stringAt(event, "source", field) !== "")) unset.push("source");
  return [...errors, ...unset.map((field) => invalid(field, "", "needs to be unset"))];
}

/** Fields in Kubernetes' order, with what they are when nobody sets them. */
const FIXED: readonly (readonly [field: string, zero: JsonValue, shownAs?: string])[] = [
  ["involvedObject", {}],
  ["reason", ""],
  ["message", ""],
  ["source", {}],
  ["firstTimestamp", null],
  ["lastTimestamp", null],
  ["count", 0],
  ["reason", ""],
  ["type", ""],
  ["eventTime", null],
  ["action", ""],
  ["related", null],
  ["reportingComponent", "", "reportingController"],
  ["reportingInstance", ""],
];

export function checkEventUpdate(event: JsonObject, old: JsonObject, group: string): FieldError[] {
  const errors = checkAny(event, group);
  if (group === "") return errors;
  errors.push(...checkObjectMetaUpdate(event, old, true));
  if (!deepEqual(event["series"] ?? null, old["series"] ?? null)) errors.push(...checkSeries(event));
  for (const [field, zero, name] of FIXED) {
    const value = event[field] ?? zero;
    if (!deepEqual(value, old[field] ?? zero)) errors.push(invalid(name ?? field, shown(field, value), IMMUTABLE));
  }
  return errors;
}

/** As Go shows the structs of its own form. */
function shown(field: string, value: JsonValue): JsonValue {
  if (field === "source") return { Component: stringAt(value, "component"), Host: stringAt(value, "host") };
  if (!isObject(value)) return value;
  const reference = objectAt(value);
  return {
    Kind: stringAt(reference, "kind"),
    Namespace: stringAt(reference, "namespace"),
    Name: stringAt(reference, "name"),
    UID: stringAt(reference, "uid"),
    APIVersion: stringAt(reference, "apiVersion"),
    ResourceVersion: stringAt(reference, "resourceVersion"),
    FieldPath: stringAt(reference, "fieldPath"),
  };
}
