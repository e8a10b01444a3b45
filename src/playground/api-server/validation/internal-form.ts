// Objects as a Kubernetes API server holds them inside: some of its sentences show parts of them, every field by Go's
// name, in Go's order, set or not.
import type { JsonObject, JsonValue } from "../contract.ts";
import { internalTypes } from "../gen/internal-types.ts";
import { isObject, objectAt } from "../json.ts";
import { shownSelector } from "./label-selectors.ts";
import { unifiedDiff } from "./unified-diff.ts";

/** A part of a client's object as the struct `type`. */
export function internalForm(type: string, value: JsonObject): JsonObject {
  const fields = type === "PodSpec" ? withHostFields(value) : value;
  const out: JsonObject = {};
  for (const [name = "", key = "", form = "", inner] of internalTypes[type] ?? []) {
    if (form === "meta") Object.assign(out, shownMeta(objectAt(fields, key)));
    else if (name === "") Object.assign(out, internalForm(inner ?? "", fields));
    else out[name] = shownField(form, inner, fields[key]);
  }
  return out;
}

const ZEROS: Readonly<Record<string, JsonValue>> = { text: "", bool: false, number: 0, quantity: "0" };

function shownField(form: string, inner: string | undefined, value: JsonValue | undefined): JsonValue {
  if (form === "struct" && inner !== undefined) return internalForm(inner, isObject(value) ? value : {});
  if (value === undefined || value === null) return ZEROS[form] ?? null;
  if (Array.isArray(value) && inner !== undefined)
    return value.map((item) => internalForm(inner, isObject(item) ? item : {}));
  if (!isObject(value)) return value;
  if (inner !== undefined) return internalForm(inner, value);
  return form === "map" ? sorted(value) : shownSelector(value);
}

const sorted = (map: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Clients say of the pod what is held with its security. */
function withHostFields(spec: JsonObject): JsonObject {
  const host: JsonObject = {};
  for (const field of ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"]) {
    const value = spec[field];
    if (value !== undefined) host[field] = value;
  }
  return { ...spec, securityContext: { ...objectAt(spec, "securityContext"), ...host } };
}

const META_FIELDS = [
  ...["name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp"],
  ...["deletionTimestamp", "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers"],
];

function shownMeta(metadata: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const field of META_FIELDS) {
    const value = metadata[field];
    if (value !== undefined && value !== null && value !== "") out[field] = isObject(value) ? sorted(value) : value;
  }
  return out;
}

/** How two parts of clients' objects differ as the struct `type`, line by line. */
export const specDiff = (type: string, before: JsonObject, after: JsonObject): string =>
  unifiedDiff(goLines(internalForm(type, before)), goLines(internalForm(type, after)));

/** JSON over many lines as Go writes it. */
const goLines = (value: JsonValue): string[] =>
  JSON.stringify(value, null, 1)
    .replace(/[<>&]/g, (letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
    .split("\n");
