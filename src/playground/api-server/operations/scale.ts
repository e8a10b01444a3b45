// The scale of a workload: how many replicas are wanted and there, whatever kind holds them.
import { badRequest, invalid } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, clone, ensureObject, isObject, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { nonnegative } from "../validation/field-errors.ts";

const pathOf = (text: string) => text.split(".").filter((step) => step !== "");

const paths = (kind: ResourceKind) => ({
  spec: pathOf(kind.custom?.scale?.specReplicasPath ?? ".spec.replicas"),
  status: pathOf(kind.custom?.scale?.statusReplicasPath ?? ".status.replicas"),
  selector: pathOf(kind.custom?.scale?.labelSelectorPath ?? ""),
});

const count = (value: JsonValue | undefined) => (typeof value === "number" ? value : 0);

/** The autoscaling/v1 Scale of an object. */
export function readScale(kind: ResourceKind, object: JsonObject): JsonObject {
  const { spec, status, selector } = paths(kind);
  const metadata = objectAt(object, "metadata");
  const own = Object.fromEntries(
    ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"].flatMap((key) =>
      metadata[key] === undefined ? [] : [[key, metadata[key]]],
    ),
  );
  const text =
    kind.custom === undefined ? selectorText(objectAt(object, "spec", "selector")) : valueAt(object, ...selector);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: own,
    spec: { replicas: count(valueAt(object, ...spec)) },
    status: {
      replicas: count(valueAt(object, ...status)),
      ...(typeof text === "string" && text !== "" ? { selector: text } : {}),
    },
  };
}

/** `a=b,c in (d,e)` of a LabelSelector, or of the plain map that a ReplicationController has. */
export function selectorText(selector: JsonObject): string {
  const labels =
    isObject(selector["matchLabels"]) || selector["matchExpressions"] !== undefined
      ? objectAt(selector, "matchLabels")
      : selector;
  const equal = Object.entries(labels).map(([key, value]) => ({ key, text: `${key}=${String(value)}` }));
  const sets = objectsAt(selector, "matchExpressions").map((expression) => {
    const [key, operator] = [stringAt(expression, "key"), stringAt(expression, "operator")];
    const values = arrayAt(expression, "values").map(String).sort().join(",");
    if (operator === "Exists") return { key, text: key };
    const text = operator === "DoesNotExist" ? `!${key}` : `${key} ${operator.toLowerCase()} (${values})`;
    return { key, text };
  });
  const byKey = [...equal, ...sets].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return byKey.map(({ text }) => text).join(",");
}

const SCALE = { group: "autoscaling", kind: "Scale" };

/** The object with the replicas that a Scale wants. */
export function writeScale(kind: ResourceKind, object: JsonObject, scale: JsonObject): JsonObject {
  const replicas = valueAt(scale, "spec", "replicas") ?? 0;
  if (typeof replicas !== "number") throw badRequest("spec.replicas must be a number");
  // Custom resources are checked as a whole.
  if (replicas < 0 && kind.custom === undefined) {
    throw invalid(SCALE, stringAt(object, "metadata", "name"), nonnegative("spec.replicas", replicas));
  }
  const version = stringAt(scale, "metadata", "resourceVersion");
  const out = clone(object);
  if (version !== "") ensureObject(out, "metadata")["resourceVersion"] = version;
  const steps = paths(kind).spec;
  const parent = steps.slice(0, -1).reduce((at, step) => ensureObject(at, step), out);
  parent[steps.at(-1) ?? "replicas"] = replicas;
  return out;
}
