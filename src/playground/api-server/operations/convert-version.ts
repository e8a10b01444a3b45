// Objects that are served through more than one door are kept in one form. Custom resources only change their
// apiVersion (conversion None); the two built-in pairs differ in fields.
import type { JsonObject } from "../contract.ts";
import { objectAt, objectsAt, setOrDelete, stringAt } from "../json.ts";
import { apiVersionOf, type ResourceKind } from "../resource-kind.ts";

interface Conversion {
  toStorage(object: JsonObject): JsonObject;
  fromStorage(object: JsonObject): JsonObject;
}

function renamed(object: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [names[key] ?? key, value]));
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
    fromStorage: (object) => renamed(object, FIELDS_OF_EVENT),
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
      return { ...object, spec, status };
    },
  },
};

const conversionOf = (kind: ResourceKind) => CONVERSIONS[`${apiVersionOf(kind)}/${kind.plural}`];

/** From the form in which the client spoke to the form in which objects are kept. */
export function toStorage(kind: ResourceKind, object: JsonObject): JsonObject {
  const converted = conversionOf(kind)?.toStorage(object) ?? object;
  return { ...converted, apiVersion: apiVersionOf(kind.storedAs) };
}

const cache = new WeakMap<JsonObject, Map<string, JsonObject>>();

/** From the kept form to the client's. The same object for the same input, so that it is serialised once. */
export function fromStorage(kind: ResourceKind, object: JsonObject): JsonObject {
  const wanted = apiVersionOf(kind);
  if (object["apiVersion"] === wanted) return object;
  const known = cache.get(object) ?? new Map<string, JsonObject>();
  cache.set(object, known);
  let converted = known.get(wanted);
  if (converted === undefined) {
    converted = { ...(conversionOf(kind)?.fromStorage(object) ?? object), apiVersion: wanted };
    known.set(wanted, converted);
  }
  return converted;
}
