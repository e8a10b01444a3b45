// A custom resource in one version: pruned to the version's schema, with the version's defaults filled in.
import type { JsonObject, JsonValue } from "../contract.ts";
import { clone, isObject } from "../json.ts";
import type { Schema } from "../schema/schema.ts";

/** Takes away in place what the schema does not know. Gives the paths of what it took, in order. */
export function pruneCustom(schema: Schema, object: JsonObject): string[] {
  const gone: string[] = [];
  prune(schema, object, { path: "", gone, root: true });
  return gone.sort();
}

interface PrunePlace {
  readonly path: string;
  readonly gone: string[];
  readonly root: boolean;
}

/** A resource has these whatever its schema says. */
const RESOURCE_FIELDS = new Set(["apiVersion", "kind", "metadata"]);

function prune(schema: Schema, value: JsonValue, place: PrunePlace): void {
  if (Array.isArray(value)) {
    const items = schema.items ?? {};
    for (const [index, item] of value.entries()) {
      prune(items, item, { ...place, root: false, path: `${place.path}[${index}]` });
    }
    return;
  }
  if (!isObject(value)) return;
  const resource = place.root || schema["x-kubernetes-embedded-resource"] === true;
  const keep = schema["x-kubernetes-preserve-unknown-fields"] === true;
  for (const [key, child] of Object.entries(value)) {
    const path = place.path === "" ? key : `${place.path}.${key}`;
    if (resource && RESOURCE_FIELDS.has(key)) continue;
    const known = childSchema(schema, key);
    if (known !== undefined) prune(known, child, { ...place, root: false, path });
    else if (schema.additionalProperties !== true && !keep) {
      place.gone.push(path);
      delete value[key];
    }
  }
}

function childSchema(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** Fills in defaults in place. A null where none is allowed counts as absent. */
export function defaultCustom(schema: Schema, value: JsonValue): void {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return;
    for (const [index, item] of value.entries()) value[index] = withDefault(items, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    if (child.default !== undefined && value[key] === undefined) value[key] = clone(child.default);
  }
  for (const [key, child] of Object.entries(value)) {
    const known = childSchema(schema, key);
    if (known !== undefined) value[key] = withDefault(known, child);
  }
}

/** The value with what is missing below it, or the default in place of a null that may not be. */
function withDefault(schema: Schema, value: JsonValue): JsonValue {
  const isMissing = value === null && schema.nullable !== true && schema.default !== undefined;
  const whole = isMissing ? clone(schema.default ?? null) : value;
  defaultCustom(schema, whole);
  return whole;
}

/** Takes away in place the nulls of fields that may not be null and have no default. */
export function pruneNulls(schema: Schema, value: JsonValue): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) pruneNulls(schema.items, item);
    return;
  }
  if (!isObject(value)) return;
  for (const [key, child] of Object.entries(value)) {
    const known = childSchema(schema, key);
    if (known === undefined) continue;
    if (child === null && known.nullable !== true && known.default === undefined) delete value[key];
    else pruneNulls(known, child);
  }
}

/** A copy of `object` as its version has it: pruned, then with defaults. */
export function inForm(schema: Schema, object: JsonObject): JsonObject {
  const copy = structuredClone(object);
  pruneCustom(schema, copy);
  pruneNulls(schema, copy);
  defaultCustom(schema, copy);
  return copy;
}
