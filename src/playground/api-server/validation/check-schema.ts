// Validates a decoded object against its schema: required fields, enumerations, bounds, formats, doubled list keys.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject } from "../json.ts";
import { resolve, type Schema } from "../schema/schema.ts";
import { decodeObject } from "./decode-object.ts";

export interface SchemaCheckOptions {
  /** Built-in kinds: a missing list counts as empty, and `status` is the controllers' own affair. */
  readonly builtin: boolean;
}

/** Lists of built-in kinds that must not be empty. */
const NEEDED_LISTS = new Set(["spec.containers", "spec.template.spec.containers", "webhooks"]);

export function checkSchema(schema: Schema, object: JsonObject, options: SchemaCheckOptions): FieldError[] {
  const errors: FieldError[] = [];
  check(schema, object, { path: "", errors, ...options });
  return errors;
}

interface Place extends SchemaCheckOptions {
  readonly path: string;
  readonly errors: FieldError[];
}

const join = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

function check(raw: Schema, value: JsonValue, place: Place): void {
  if (place.builtin && (place.path === "status" || place.path === "metadata")) return;
  const schema = resolve(raw) ?? {};
  if (Array.isArray(value)) checkList(schema, value, place);
  else if (isObject(value)) checkObject(schema, value, place);
  else if (!place.builtin) checkScalar(schema, value, place);
  if (!place.builtin) checkCombinations(schema, value, place);
}

function report(place: Place, type: FieldError["type"], value: unknown, detail: string): void {
  place.errors.push({ field: place.path, type, value, detail });
}

function checkObject(schema: Schema, value: JsonObject, place: Place): void {
  for (const field of schema.required ?? []) {
    const path = join(place.path, field);
    if (Object.hasOwn(value, field) && value[field] !== null) continue;
    const known = resolve(schema.properties?.[field]);
    const forgiven = place.builtin && known?.type !== "object" && !NEEDED_LISTS.has(path) && !isText(known);
    if (!forgiven) place.errors.push({ field: path, type: "FieldValueRequired", detail: "" });
  }
  const count = Object.keys(value).length;
  if (schema.minProperties !== undefined && count < schema.minProperties) {
    report(place, "FieldValueInvalid", count, `should have at least ${schema.minProperties} properties`);
  }
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    report(place, "FieldValueTooMany", count, `must have at most ${schema.maxProperties} items`);
  }
  for (const [key, child] of Object.entries(value)) {
    const known = schema.properties?.[key] ?? schema.additionalProperties;
    if (typeof known === "object") check(known, child, { ...place, path: join(place.path, key) });
  }
}

const isText = (schema: Schema | undefined) => schema?.type === "string" && schema.format !== "date-time";

/** Rules of a definition may be said twice: their key, `rule`, is for owners of fields only. */
function checkList(schema: Schema, value: JsonValue[], place: Place): void {
  if (place.builtin && value.length === 0 && NEEDED_LISTS.has(place.path))
    report(place, "FieldValueRequired", undefined, "");
  if (schema.minItems !== undefined && value.length < schema.minItems) {
    report(
      place,
      "FieldValueInvalid",
      value.length,
      `${place.path} in body should have at least ${schema.minItems} items`,
    );
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    report(place, "FieldValueTooMany", value.length, `must have at most ${schema.maxItems} items`);
  }
  const type = schema["x-kubernetes-list-type"];
  const mayRepeat = schema["x-kubernetes-list-map-keys"]?.join() === "rule";
  if ((type === "map" || type === "set") && !mayRepeat) checkDoubles(schema, value, place);
  if (schema.items === undefined) return;
  for (const [index, item] of value.entries()) check(schema.items, item, { ...place, path: `${place.path}[${index}]` });
}

/** Keys of list items that may be left out, with what they mean then. */
const KEY_DEFAULTS: Readonly<Record<string, JsonValue>> = { protocol: "TCP" };

/** What two items of a list may not share: keys or value. */
function nameOf(schema: Schema, item: JsonValue): string {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (schema["x-kubernetes-list-type"] !== "map" || keys === undefined || !isObject(item)) {
    return `v:${JSON.stringify(item)}`;
  }
  const pairs = [...keys].sort().map((key) => [key, item[key] ?? KEY_DEFAULTS[key]]);
  return `k:${JSON.stringify(Object.fromEntries(pairs))}`;
}

function checkDoubles(schema: Schema, value: JsonValue[], place: Place): void {
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const edge = nameOf(schema, item);
    if (seen.has(edge)) {
      const shown: unknown = edge.startsWith("k:") ? JSON.parse(edge.slice(2)) : item;
      place.errors.push({ field: `${place.path}[${index}]`, type: "FieldValueDuplicate", value: shown, detail: "" });
    }
    seen.add(edge);
  }
}

function checkScalar(schema: Schema, value: JsonValue, place: Place): void {
  const body = `${place.path} in body`;
  if (schema.enum !== undefined && !schema.enum.some((allowed) => deepEqual(allowed, value))) {
    const list = schema.enum.map((allowed) => JSON.stringify(allowed)).join(", ");
    report(place, "FieldValueNotSupported", value, `supported values: ${list}`);
  }
  if (typeof value === "string") checkText(schema, value, place);
  if (typeof value !== "number") return;
  const over =
    schema.exclusiveMaximum === true ? value >= (schema.maximum ?? Infinity) : value > (schema.maximum ?? Infinity);
  const under =
    schema.exclusiveMinimum === true ? value <= (schema.minimum ?? -Infinity) : value < (schema.minimum ?? -Infinity);
  if (over) report(place, "FieldValueInvalid", value, `${body} should be less than or equal to ${schema.maximum}`);
  if (under) report(place, "FieldValueInvalid", value, `${body} should be greater than or equal to ${schema.minimum}`);
}

function checkText(schema: Schema, value: string, place: Place): void {
  const body = `${place.path} in body`;
  if (schema.minLength !== undefined && value.length < schema.minLength) {
    report(place, "FieldValueInvalid", value, `${body} should be at least ${schema.minLength} chars long`);
  }
  if (schema.maxLength !== undefined && value.length > schema.maxLength) {
    report(place, "FieldValueTooLong", value, `may not be more than ${schema.maxLength} bytes`);
  }
  if (schema.pattern !== undefined && !patternOf(schema.pattern).test(value)) {
    report(place, "FieldValueInvalid", value, `${body} should match '${schema.pattern}'`);
  }
  if (schema.format === "date-time" && Number.isNaN(Date.parse(value))) {
    report(place, "FieldValueInvalid", value, `${body} must be of type date-time: ${JSON.stringify(value)}`);
  }
}

const patterns = new Map<string, RegExp>();

/** A pattern of Go's syntax; one that JavaScript cannot read matches everything. */
function patternOf(text: string): RegExp {
  let pattern = patterns.get(text);
  if (pattern === undefined) {
    try {
      pattern = new RegExp(text);
    } catch {
      // Go's own constructs such as (?i) inside: refusing every object for it would be worse.
      pattern = /(?:)/;
    }
    patterns.set(text, pattern);
  }
  return pattern;
}

function matches(schema: Schema, value: JsonValue): boolean {
  if (
    isObject(value) &&
    decodeObject({ ...schema, "x-kubernetes-preserve-unknown-fields": true }, value).report.mistyped.length > 0
  ) {
    return false;
  }
  const errors: FieldError[] = [];
  check(schema, value, { path: "", errors, builtin: false });
  return errors.length === 0;
}

function checkCombinations(schema: Schema, value: JsonValue, place: Place): void {
  const body = place.path === "" ? "<root>" : place.path;
  for (const part of schema.allOf ?? []) check(part, value, place);
  if (schema.anyOf !== undefined && !schema.anyOf.some((part) => matches(part, value))) {
    report(place, "FieldValueInvalid", value, `${body} in body must validate at least one schema (anyOf)`);
  }
  if (schema.oneOf !== undefined && schema.oneOf.filter((part) => matches(part, value)).length !== 1) {
    report(place, "FieldValueInvalid", value, `${body} in body must validate one and only one schema (oneOf)`);
  }
  if (schema.not !== undefined && matches(schema.not, value)) {
    report(place, "FieldValueInvalid", value, `${body} in body must not validate the schema (not)`);
  }
}
