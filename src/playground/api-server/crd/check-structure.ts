// What a custom resource must keep to beside its schema: resources inside it, and lists without doubles.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { duplicate, invalid, required } from "../validation/field-errors.ts";

const join = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

type Visit = (schema: Schema, value: JsonValue, path: string) => FieldError[];

/** Calls `visit` at every value that the schema knows, outer ones first. */
function walk(schema: Schema, value: JsonValue, place: { readonly path: string; readonly visit: Visit }): FieldError[] {
  const { path, visit } = place;
  const errors = visit(schema, value, path);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return errors;
    return [...errors, ...value.flatMap((item, index) => walk(items, item, { visit, path: `${path}[${index}]` }))];
  }
  if (!isObject(value)) return errors;
  for (const [key, child] of Object.entries(value)) {
    const known = schema.properties?.[key];
    const rest = schema.additionalProperties;
    if (known !== undefined) errors.push(...walk(known, child, { visit, path: join(path, key) }));
    else if (typeof rest === "object") errors.push(...walk(rest, child, { visit, path: `${path}[${key}]` }));
  }
  return errors;
}

/** Resources inside the object name their kind and version. */
export function checkEmbedded(schema: Schema, object: JsonObject): FieldError[] {
  return walk(schema, object, {
    path: "",
    visit: (at, value, path) =>
      at["x-kubernetes-embedded-resource"] === true && isObject(value) ? embeddedErrors(value, path) : [],
  });
}

const KIND =
  "may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

function embeddedErrors(value: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ["apiVersion", "kind"]) {
    const field = join(path, key);
    const given = value[key];
    if (given === undefined) errors.push(required(field));
    else if (typeof given !== "string") errors.push(invalid(field, given, "must be a string"));
    else if (given === "") errors.push(invalid(field, given, "must not be empty"));
    else if (key === "apiVersion" && given.split("/").length > 2) {
      errors.push(invalid(field, given, `unexpected GroupVersion string: ${given}`));
    } else if (key === "kind" && !/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(given.toLowerCase())) {
      errors.push(invalid(field, given, KIND));
    }
  }
  return errors;
}

/** Lists that are sets or maps hold no item twice. */
export function checkDoubles(schema: Schema, object: JsonObject): FieldError[] {
  return walk(schema, object, {
    path: "",
    visit: (at, value, path) => (Array.isArray(value) ? doublesIn(at, value, path) : []),
  });
}

function doublesIn(schema: Schema, list: JsonValue[], path: string): FieldError[] {
  const type = schema["x-kubernetes-list-type"];
  if (type === "set") return seenTwice(list).map((index) => duplicate(`${path}[${index}]`, list[index]));
  if (type !== "map") return [];
  const stranger = list.findIndex((item) => item !== null && !isObject(item));
  if (stranger >= 0) {
    return [invalid(`${path}[${stranger}]`, list[stranger], "must be an object for an array of list-type map")];
  }
  const keys = list.map((item) => keyOf(schema, item));
  return seenTwice(keys).map((index) => duplicate(`${path}[${index}]`, keys[index]));
}

function keyOf(schema: Schema, item: JsonValue): JsonObject {
  const key: JsonObject = {};
  for (const name of [...(schema["x-kubernetes-list-map-keys"] ?? [])].sort()) {
    const value = isObject(item) ? item[name] : undefined;
    if (value !== undefined) key[name] = value;
  }
  return key;
}

/** The place of the second of each value that is there more than once. */
function seenTwice(values: readonly JsonValue[]): number[] {
  const times = new Map<string, number>();
  return values.flatMap((value, index) => {
    const text = JSON.stringify(value, sortedKeys);
    times.set(text, (times.get(text) ?? 0) + 1);
    return times.get(text) === 2 ? [index] : [];
  });
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
