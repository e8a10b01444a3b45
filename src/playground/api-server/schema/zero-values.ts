// Fields without a value, as Go writes them: some are shown all the same, and empty ones that were given are not kept.
import type { JsonObject, JsonValue } from "../contract.ts";
import { zeroValues } from "../gen/zero-values.ts";
import { clone, isObject } from "../json.ts";
import { resolve, type Schema } from "./schema.ts";
import type { ZeroValues } from "./zero-value-row.ts";

const NONE: ZeroValues = { shown: {}, dropped: [], types: {} };
const REF_PREFIX = "#/components/schemas/";
/** An empty list here is a wish of its own: to forget who owns what. */
const KEPT_EMPTY = "managedFields";

const JSON_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
const OF_JSON_SCHEMA: Schema = { $ref: REF_PREFIX + JSON_SCHEMA };
/** Fields that hold one of several forms, of which no schema tells: where it is an object, it is this one. */
const UNIONS: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  [JSON_SCHEMA]: { items: OF_JSON_SCHEMA, additionalProperties: OF_JSON_SCHEMA, additionalItems: OF_JSON_SCHEMA },
};

/** An empty list or map that counts as none in what is kept, but as something in what its sender owns. */
export interface Emptied {
  readonly object: JsonObject;
  readonly field: string;
  readonly value: JsonValue;
  /** It is gone altogether, not null: nobody owns it. */
  readonly gone: boolean;
}

/** Completes an object of the definition `name` in place. What was empty and becomes null is told in `emptied`. */
export function completeZeroValues(
  schema: Schema,
  object: JsonObject,
  name: string | undefined,
  emptied: Emptied[] = [],
): void {
  const row = (name === undefined ? undefined : zeroValues[name]) ?? NONE;
  for (const field of row.dropped) {
    const value = object[field];
    if (value === "" || value === 0 || value === false) delete object[field];
  }
  for (const [field, zero] of Object.entries(row.shown)) object[field] ??= clone(zero);
  for (const [field, value] of Object.entries(object)) {
    const child = UNIONS[name ?? ""]?.[field] ?? schema.properties?.[field] ?? schema.additionalProperties;
    if (typeof value !== "object" || value === null || field === KEPT_EMPTY || typeof child !== "object") continue;
    if (!isEmptyCollection(child, value)) completeValue(child, value, emptied);
    else if (row.shown[field] === null) {
      emptied.push({ object, field, value, gone: false });
      object[field] = null;
    } else {
      emptied.push({ object, field, value, gone: true });
      delete object[field];
    }
  }
}

/** Makes the structs in an object that are always there, so that their fields can get defaults. */
export function completeStructs(schema: Schema, object: JsonObject, name: string | undefined): void {
  const shown = (name === undefined ? undefined : zeroValues[name])?.shown ?? {};
  for (const [field, zero] of Object.entries(shown)) if (isObject(zero)) object[field] ??= {};
  for (const [field, value] of Object.entries(object)) {
    const child = schema.properties?.[field] ?? schema.additionalProperties;
    if (typeof value === "object" && value !== null && typeof child === "object") completeInside(child, value);
  }
}

function completeInside(raw: Schema, value: JsonValue): void {
  const schema = resolve(raw);
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) completeInside(schema.items, item);
  } else if (isObject(value)) completeStructs(schema, value, raw.$ref?.slice(REF_PREFIX.length));
}

/** A list or a map, not a struct, that holds nothing. */
function isEmptyCollection(raw: Schema, value: JsonValue): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (!isObject(value) || Object.keys(value).length > 0) return false;
  const schema = resolve(raw);
  return schema?.properties === undefined && schema?.additionalProperties !== undefined;
}

/** The same lists and maps in `copy`, a changed copy of `root`. */
export function emptiedIn(emptied: readonly Emptied[], root: JsonObject, copy: JsonObject): readonly Emptied[] {
  if (root === copy) return emptied;
  return emptied.flatMap((one) => {
    const place = counterpart(root, copy, one.object);
    return place === undefined ? [] : [{ ...one, object: place }];
  });
}

function counterpart(root: JsonValue, copy: JsonValue | undefined, wanted: JsonObject): JsonObject | undefined {
  if (typeof root !== "object" || root === null || typeof copy !== "object" || copy === null) return undefined;
  if (root === wanted) return isObject(copy) ? copy : undefined;
  for (const [key, value] of Object.entries(root)) {
    const found = counterpart(value, Array.isArray(copy) ? copy[Number(key)] : copy[key], wanted);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What `look` sees while empty lists and maps stand as they were sent: those that are null now, or all. */
export function asSent<T>(emptied: readonly Emptied[], look: () => T, which: "null" | "all" = "null"): T {
  // What got a value since is no longer empty.
  const seen = emptied.filter(
    ({ object, field, gone }) => (which === "all" || !gone) && (object[field] ?? null) === null,
  );
  for (const { object, field, value } of seen) object[field] = value;
  try {
    return look();
  } finally {
    for (const { object, field, gone } of seen) {
      if (gone) delete object[field];
      else object[field] = null;
    }
  }
}

function completeValue(raw: Schema, value: JsonValue, emptied: Emptied[]): void {
  const schema = resolve(raw);
  if (schema === undefined) return;
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) completeValue(schema.items, item, emptied);
  } else if (isObject(value)) {
    completeZeroValues(schema, value, raw.$ref?.slice(REF_PREFIX.length), emptied);
  }
}

/** What an object of this definition is before anybody sets anything. */
export function zeroObject(schema: Schema, name: string | undefined): JsonObject {
  const object: JsonObject = {};
  completeZeroValues(schema, object, name);
  return object;
}
