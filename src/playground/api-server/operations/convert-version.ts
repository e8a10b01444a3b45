// Objects that are served through more than one door are kept in one form. Custom resources change their
// apiVersion, or are converted by a webhook, and lose what the other version does not know; the two built-in pairs differ
// in fields.
import type { JsonObject } from "../contract.ts";
import { convertCustom } from "../crd/convert-custom.ts";
import { inForm, pruneCustom, pruneNulls } from "../crd/custom-form.ts";
import { deepEqual, objectAt, objectsAt, setOrDelete, stringAt } from "../json.ts";
import { apiVersionOf, type CustomKind, parseApiVersion, type ResourceKind } from "../resource-kind.ts";
import type { Schema } from "../schema/schema.ts";

interface Conversion {
  toStorage(object: JsonObject): JsonObject;
  fromStorage(object: JsonObject): JsonObject;
}

function renamed(object: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [names[key] ?? key, value]));
}

function withoutEmpty(object: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key, value]) => value !== "" || !fields.includes(key)));
}

const EVENT_FIELDS = {
  regarding: "involvedObject",
  note: "message",
  reportingController: "reportingComponent",
  deprecatedSource: "source",
  deprecatedFirstTimestamp: "firstTimestamp",
  deprecatedLastTimestamp: "lastTimestamp",
  deprecatedCount: "count",
};
const FIELDS_OF_EVENT = Object.fromEntries(Object.entries(EVENT_FIELDS).map(([a, b]) => [b, a]));

const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  "events.k8s.io/v1/events": {
    toStorage: (object) => renamed(object, EVENT_FIELDS),
    fromStorage: (object) =>
      withoutEmpty(renamed(object, FIELDS_OF_EVENT), ["reportingController", "reportingInstance"]),
  },
  "autoscaling/v1/horizontalpodautoscalers": {
    toStorage(object) {
      const { targetCPUUtilizationPercentage: percent, ...spec } = objectAt(object, "spec");
      if (percent === undefined) return { ...object, spec };
      const target = { type: "Utilization", averageUtilization: percent };
      return { ...object, spec: { ...spec, metrics: [{ type: "Resource", resource: { name: "cpu", target } }] } };
    },
    fromStorage(object) {
      const { metrics: _, behavior: _b, ...spec } = objectAt(object, "spec");
      const cpu = objectsAt(object, "spec", "metrics").find((metric) => stringAt(metric, "resource", "name") === "cpu");
      setOrDelete(spec, "targetCPUUtilizationPercentage", objectAt(cpu, "resource", "target")["averageUtilization"]);
      const { currentMetrics: _c, conditions: _d, ...status } = objectAt(object, "status");
      return { ...object, spec, status: { ...status, currentReplicas: status["currentReplicas"] ?? 0 } };
    },
  },
};

const conversionOf = (kind: ResourceKind) => CONVERSIONS[`${apiVersionOf(kind)}/${kind.plural}`];

/** Whether the two versions of a built-in kind differ in fields. */
export const hasConversions = (a: ResourceKind, b: ResourceKind): boolean =>
  conversionOf(a) !== undefined || conversionOf(b) !== undefined;

/** An object of one version of a built-in kind in another version; a new object each time. */
export const inVersion = (from: ResourceKind, to: ResourceKind, object: JsonObject): JsonObject =>
  shownAs(to, toStorage(from, object));

/** A kept object in the client's version, for a look while it still changes. */
export const shownNow = (kind: ResourceKind, object: JsonObject): JsonObject =>
  conversionOf(kind) === undefined ? object : shownAs(kind, object);

/**
 * From the form in which the client spoke to the form in which objects are kept; custom resources stay in the client's
 * version until they are (`asKept`).
 */
export function toStorage(kind: ResourceKind, object: JsonObject): JsonObject {
  if (kind.custom !== undefined) return { ...object, apiVersion: apiVersionOf(kind) };
  const converted = conversionOf(kind)?.toStorage(object) ?? object;
  return { ...converted, apiVersion: apiVersionOf(kind.storedAs) };
}

const cache = new WeakMap<JsonObject, Map<ResourceKind | string, JsonObject>>();

/** Whether clients of the kind see its objects as they are kept. */
export const isShownAsKept = (kind: ResourceKind): boolean =>
  kind.custom === undefined && apiVersionOf(kind) === apiVersionOf(kind.storedAs);

/** From the kept form to the client's. The same object for the same input, so that it is serialised once. */
export function fromStorage(kind: ResourceKind, object: JsonObject): JsonObject {
  const wanted = apiVersionOf(kind);
  if (kind.custom === undefined && object["apiVersion"] === wanted) return object;
  const known = cache.get(object) ?? new Map<ResourceKind | string, JsonObject>();
  cache.set(object, known);
  const key = kind.custom === undefined ? wanted : kind;
  let converted = known.get(key);
  if (converted === undefined) {
    converted = kind.custom === undefined ? shownAs(kind, object) : asCustom(kind, kind.custom, object);
    // A webhook may answer otherwise the next time.
    if (kind.custom?.conversion === undefined || object["apiVersion"] === wanted) known.set(key, converted);
  }
  return converted;
}

const shownAs = (kind: ResourceKind, object: JsonObject) => ({
  ...(conversionOf(kind)?.fromStorage(object) ?? object),
  apiVersion: apiVersionOf(kind),
});

/**
 * Read in the version in which it is: without what that does not know, with its defaults; then, in another version, without
 * what this one does not know. Throws ApiStatusError where versions cannot be converted.
 */
function asCustom(kind: ResourceKind, custom: CustomKind, object: JsonObject): JsonObject {
  const wanted = apiVersionOf(kind);
  const from = stringAt(object, "apiVersion");
  if (from === wanted) return sameIfEqual(object, inForm(custom.form, object));
  const { version } = parseApiVersion(from);
  const read = inForm(custom.forms?.get(version) ?? custom.form, object);
  if (custom.conversion === undefined) return coerced(custom.form, convertCustom(kind, read, wanted));
  // A webhook sees objects as they are kept: without the version at which they lie there.
  const { resourceVersion, ...metadata } = objectAt(read, "metadata");
  const shown = coerced(custom.form, convertCustom(kind, { ...read, metadata }, wanted));
  setOrDelete(objectAt(shown, "metadata"), "resourceVersion", resourceVersion);
  return shown;
}

const sameIfEqual = (before: JsonObject, after: JsonObject) => (deepEqual(after, before) ? before : after);

/** A copy with what the schema knows. */
function coerced(form: Schema, object: JsonObject): JsonObject {
  const copy = structuredClone(object);
  pruneCustom(form, copy);
  pruneNulls(form, copy);
  return copy;
}

/** A custom resource in the version and with the fields in which it is kept. Throws as `fromStorage` does. */
export function asKept(kind: ResourceKind, object: JsonObject): JsonObject {
  const kept = apiVersionOf(kind.storedAs);
  if (kind.custom === undefined || object["apiVersion"] === kept) return object;
  const form = kind.custom.forms?.get(kind.storedAs.version) ?? kind.custom.form;
  return coerced(form, convertCustom(kind, object, kept));
}
