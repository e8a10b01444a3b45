// Whether an update leaves a value as it was, as Kubernetes compares them for ratcheting: items of a list with keys may
// change places, and what no schema tells of is never the same.
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject } from "../json.ts";
import type { Schema } from "../schema/schema.ts";

export function isKept(schema: Schema | undefined, before: JsonValue | undefined, after: JsonValue): boolean {
  if (schema === undefined || before === undefined) return false;
  if (before === null || after === null) return before === after;
  if (Array.isArray(before) && Array.isArray(after)) return isKeptList(schema, before, after);
  if (isObject(before) && isObject(after)) return isKeptObject(schema, before, after);
  return deepEqual(before, after);
}

function isKeptList(schema: Schema, before: JsonValue[], after: JsonValue[]): boolean {
  if (before.length !== after.length) return false;
  if (keysOf(schema) === undefined) return deepEqual(before, after);
  return after.every((item) => isKept(schema.items, itemBefore(schema, item, before), item));
}

function isKeptObject(schema: Schema, before: JsonObject, after: JsonObject): boolean {
  const keys = Object.keys(after);
  if (Object.keys(before).length !== keys.length) return false;
  return keys.every((key) => isKept(schemaBelow(schema, key), before[key], after[key] ?? null));
}

function schemaBelow(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

const keysOf = (schema: Schema) =>
  schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;

/** The item that an item of a list with keys was before; undefined in other lists. */
export function itemBefore(schema: Schema, item: JsonValue, before: JsonValue | undefined): JsonValue | undefined {
  const keys = keysOf(schema);
  if (keys === undefined || !Array.isArray(before)) return undefined;
  return before.find((one) => isObject(one) && isObject(item) && keys.every((key) => deepEqual(one[key], item[key])));
}
