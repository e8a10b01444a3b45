// Of the metadata of an object that a webhook converts only labels and annotations may change.
import { fieldErrorText } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject, objectAt, setOrDelete, stringAt } from "../json.ts";
import { checkLabels } from "../validation/label-selectors.ts";
import { checkAnnotations } from "../validation/object-meta.ts";

/** Why `after` is not the object that `before` is. */
export function sameObjectFault(before: JsonObject, after: JsonObject): string | undefined {
  const parts = [
    ["name", "name"],
    ["namespace", "namespace"],
    ["UID", "uid"],
  ] as const;
  for (const [word, field] of parts) {
    const [one, other] = [stringAt(before, "metadata", field), stringAt(after, "metadata", field)];
    if (one !== other) return `must have the same ${word}: ${one} != ${other}`;
  }
  return undefined;
}

function goType(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value;
}

/** The metadata of `before` with the labels and annotations of `after`; a text tells why that cannot be. */
export function restoredMetadata(before: JsonObject, after: JsonObject): JsonObject | string {
  const given = after["metadata"];
  if (given === undefined) return "missing metadata in converted object";
  if (!isObject(given)) return `invalid metadata of type ${goType(given)} in converted object`;
  const metadata: JsonObject = { ...objectAt(before, "metadata") };
  for (const field of ["labels", "annotations"] as const) {
    const value = given[field];
    if (value === undefined || value === null) {
      delete metadata[field];
      continue;
    }
    if (!isObject(value)) return `invalid metadata.${field} of type ${goType(value)} in converted object`;
    const fault = deepEqual(value, metadata[field]) ? undefined : faultOf(field, value);
    if (fault !== undefined) return fault;
    setOrDelete(metadata, field, value);
  }
  return metadata;
}

function faultOf(field: "labels" | "annotations", value: JsonObject): string | undefined {
  for (const [key, one] of Object.entries(value)) {
    if (typeof one !== "string")
      return `metadata.${field}[${key}] must be a string, but is ${goType(one)} in converted object`;
  }
  // Kubernetes leaves the last letter of the second name out.
  const errors =
    field === "labels" ? checkLabels("metadata.labels", value) : checkAnnotations("metadata.annotation", value);
  if (errors.length === 0) return undefined;
  const texts = errors.map((error) => `${error.field}: ${fieldErrorText(error)}`);
  return texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`;
}
