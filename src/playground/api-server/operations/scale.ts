// The scale of an object: how many replicas are wanted and there, whatever kind holds them. Clients read, replace, patch
// and apply it as an object of its own; a change of it is a change of the object behind it.

import { conflict, invalid } from "../api-errors.ts";
import { applyConfiguration, trackUpdate } from "../apply/managed-fields.ts";
import { parentOwners, type ReplicasPath, SCALE_VERSION, scaleOwners } from "../apply/scale-owners.ts";
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { clone, ensureObject, isObject, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { apiVersionOf, parseApiVersion, type ResourceKind } from "../resource-kind.ts";
import { definition } from "../schema/schema.ts";
import { nonnegative } from "../validation/field-errors.ts";
import { dnsSubdomain } from "../validation/formats.ts";
import { checkObjectMeta } from "../validation/object-meta.ts";
import { scaleOfCustom, writeCustomReplicas } from "./custom-scale.ts";

const SCALE_DEFINITION = "io.k8s.api.autoscaling.v1.Scale";

/** The scale of a kind, as a kind. */
export function scaleKind(kind: ResourceKind): ResourceKind {
  const { custom: _, storageVersionHash: _h, ...rest } = kind;
  return {
    ...rest,
    ...parseApiVersion(SCALE_VERSION),
    kind: "Scale",
    subresources: [],
    storedAs: parseApiVersion(SCALE_VERSION),
    definition: SCALE_DEFINITION,
    schema: definition(SCALE_DEFINITION),
  };
}

/** Where the kind keeps its replicas. */
export function replicasPath(kind: ResourceKind): ReplicasPath {
  const path = kind.custom === undefined ? ".spec.replicas" : (kind.custom.scale?.specReplicasPath ?? "");
  const steps = path.split(".").filter((step) => step !== "");
  return (apiVersion) => {
    if (parseApiVersion(apiVersion).group !== kind.group) return undefined;
    return steps.length === 0 ? null : steps;
  };
}

const META = ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"];

interface ScaleCounts {
  readonly wanted: number;
  readonly there: number;
  readonly selector: string;
}

/** The autoscaling/v1 Scale of an object, its fields in Go's order. */
export function readScale(kind: ResourceKind, object: JsonObject): JsonObject {
  const metadata = objectAt(object, "metadata");
  const own = META.flatMap((key) => (metadata[key] === undefined ? [] : [[key, metadata[key]]]));
  const { wanted, there, selector } = kind.custom === undefined ? counts(object) : scaleOfCustom(kind.custom, object);
  return canonical({
    kind: "Scale",
    apiVersion: SCALE_VERSION,
    metadata: Object.fromEntries(own),
    spec: { replicas: wanted },
    status: { replicas: there, selector },
  });
}

const count = (value: JsonValue | undefined) => (typeof value === "number" ? value : 0);

const counts = (object: JsonObject): ScaleCounts => ({
  wanted: count(valueAt(object, "spec", "replicas")),
  there: count(valueAt(object, "status", "replicas")),
  selector: selectorText(objectAt(object, "spec", "selector")),
});

/** As Go writes it: what nobody wants is not said. */
function canonical(scale: JsonObject): JsonObject {
  const { replicas: wanted } = objectAt(scale, "spec");
  const { replicas: there, selector } = objectAt(scale, "status");
  return {
    ...scale,
    metadata: objectAt(scale, "metadata"),
    spec: count(wanted) === 0 ? {} : { replicas: count(wanted) },
    status: { replicas: count(there), ...(typeof selector === "string" && selector !== "" ? { selector } : {}) },
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
    const key = stringAt(expression, "key");
    return { key, text: requirementText(key, stringAt(expression, "operator"), expression["values"]) };
  });
  const all = [...equal, ...sets].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return all.map(({ text }) => text).join(",");
}

function requirementText(key: string, operator: string, values: JsonValue | undefined): string {
  if (operator === "Exists") return key;
  if (operator === "DoesNotExist") return `!${key}`;
  const list = Array.isArray(values) ? [...values].map(String).sort() : [];
  return `${key} ${operator.toLowerCase()} (${list.join(",")})`;
}

/** How a change of the scale reaches the object behind it. */
export interface ScaleChange {
  readonly manager: string;
  /** The new scale, from the one that is there with its managedFields. */
  readonly next: (scale: JsonObject) => JsonObject;
  /** A configuration to apply, in place of `next`. */
  readonly apply?: { readonly config: JsonObject; readonly force: boolean };
}

/** The object behind the scale as it is to be, with managedFields. Throws ApiStatusError. */
export function scaled(kind: ResourceKind, parent: JsonObject, change: ScaleChange): JsonObject {
  const replicas = replicasPath(kind);
  const { scale, owners } = changedScale(ownedScale(kind, parent), change);
  checkScale(kind, parent, scale);
  const after = withReplicas(kind, parent, scale);
  const all = parentOwners(
    parent,
    { ...scale, metadata: { ...objectAt(scale, "metadata"), managedFields: owners } },
    { apiVersion: apiVersionOf(kind), replicas },
  );
  const metadata = ensureObject(after, "metadata");
  if (all.length > 0) metadata["managedFields"] = all;
  else delete metadata["managedFields"];
  return after;
}

const ENTRY = ["manager", "operation", "apiVersion", "time", "fieldsType", "fieldsV1", "subresource"];
const inGoOrder = (entry: JsonObject): JsonObject =>
  Object.fromEntries(ENTRY.flatMap((key) => (entry[key] === undefined ? [] : [[key, entry[key]]])));

function changedScale(shown: JsonObject, { manager, next, apply }: ScaleChange) {
  const schema = definition(SCALE_DEFINITION);
  const writer = { manager, apiVersion: SCALE_VERSION, subresource: "scale", time: "" };
  if (apply === undefined) {
    const scale = canonical(next(shown));
    return { scale, owners: trackUpdate(schema, shown, scale, { ...writer, operation: "Update" }) };
  }
  const { object, managedFields } = applyConfiguration(schema, shown, apply.config, {
    writer: { ...writer, operation: "Apply" },
    force: apply.force,
    kind: `${SCALE_VERSION}, Kind=Scale`,
    blank: canonical({}),
  });
  return { scale: canonical(next(object)), owners: managedFields };
}

function checkScale(kind: ResourceKind, parent: JsonObject, scale: JsonObject): void {
  if (kind.custom !== undefined) return;
  const name = stringAt(parent, "metadata", "name");
  const errors = [
    ...checkObjectMeta(scale, { name: dnsSubdomain, namespaced: true, kubeFinalizers: true }),
    ...nonnegative("spec.replicas", count(valueAt(scale, "spec", "replicas"))),
  ];
  if (errors.length > 0) throw invalid({ group: "autoscaling", kind: "Scale" }, name, errors);
  const [wanted, uid] = [stringAt(scale, "metadata", "uid"), stringAt(parent, "metadata", "uid")];
  if (wanted === "" || wanted === uid) return;
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid}`;
  throw conflict({ group: kind.group, plural: `${kind.plural}/scale` }, name, why);
}

/** The scale of an object with its part of the managedFields, as admission may still change it. */
export function ownedScale(kind: ResourceKind, parent: JsonObject): JsonObject {
  const scale = readScale(kind, parent);
  const managedFields = scaleOwners(parent, replicasPath(kind)).map(inGoOrder);
  return managedFields.length === 0 ? scale : { ...scale, metadata: { ...objectAt(scale, "metadata"), managedFields } };
}

/** Gives the entries that a write made or changed its time, in place: admission is told of it, and nobody later. */
export function datedOwners(scale: JsonObject, before: JsonObject, time: string): void {
  const known = new Set(objectsAt(before, "metadata", "managedFields").map((entry) => JSON.stringify(entry)));
  for (const entry of objectsAt(scale, "metadata", "managedFields")) {
    if (entry["time"] === undefined && !known.has(JSON.stringify(entry))) entry["time"] = time;
  }
}

/** Takes the replicas of the scale over into the object behind it. */
export function withReplicas(kind: ResourceKind, parent: JsonObject, scale: JsonObject): JsonObject {
  const out = clone(parent);
  const version = stringAt(scale, "metadata", "resourceVersion");
  const replicas = count(valueAt(scale, "spec", "replicas"));
  if (kind.custom === undefined) {
    ensureObject(out, "spec")["replicas"] = replicas;
    ensureObject(out, "metadata")["resourceVersion"] = version;
    return out;
  }
  writeCustomReplicas(kind.custom, out, replicas);
  if (version !== "") ensureObject(out, "metadata")["resourceVersion"] = version;
  return out;
}

/** A scale that a GET must not show: the object says nothing of replicas. */
export function refuseWithoutReplicas(kind: ResourceKind, object: JsonObject): void {
  const path = kind.custom?.scale?.specReplicasPath;
  if (path === undefined) return;
  const steps = path.split(".").filter((step) => step !== "");
  if (valueAt(object, ...steps) !== undefined) return;
  const why = `the spec replicas field ${JSON.stringify(path)} does not exist`;
  throw new ApiStatusError(500, "InternalError", `Internal error occurred: ${why}`, { causes: [{ message: why }] });
}
