// Whether a custom resource keeps to its schema: the sentences are those of Kubernetes' OpenAPI validation, which people
// search for. A value that an update leaves as it was is not held against it (ratcheting).
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { isKept, itemBefore } from "./kept-value.ts";
import { badFormat } from "./string-formats.ts";

export interface CheckPlace {
  /** Where the value stands in the object, such as `.spec.ports[0]`. */
  readonly path: string;
  /** What stands before the path in the names of fields: `status` when only a status is checked. */
  readonly prefix: string;
  /** The same value before an update; undefined when there was none that corresponds to it. */
  readonly old: JsonValue | undefined;
}

interface Outcome {
  errors: FieldError[];
  /** How many checks were tried: of several schemas that all fail, the errors of the nearest are told. */
  tried: number;
}

/** Every reason why `value` does not keep to `schema`. */
export function checkCustom(schema: Schema, value: JsonValue, place: CheckPlace): FieldError[] {
  return validate(schema, value, place).errors;
}

type Check = (schema: Schema, value: JsonValue, place: CheckPlace) => Outcome | FieldError[];

function validate(schema: Schema, value: JsonValue, place: CheckPlace): Outcome {
  const outcome: Outcome = { errors: [], tried: 1 };
  for (const [applies, check] of CHECKS) {
    if (!applies(schema, value)) continue;
    const found = check(schema, value, place);
    const { errors, tried } = Array.isArray(found) ? { errors: found, tried: 0 } : found;
    outcome.errors.push(...errors);
    outcome.tried += tried + 1;
  }
  const unchanged = outcome.errors.length > 0 && (deepEqual(place.old, value) || isKept(schema, place.old, value));
  return unchanged ? { errors: [], tried: outcome.tried } : outcome;
}

const CHECKS: readonly (readonly [(schema: Schema, value: JsonValue) => boolean, Check])[] = [
  [(schema) => typesOf(schema).length > 0, checkType],
  [(_, value) => value !== null, checkCombinations],
  [(_, value) => typeof value === "string", checkText],
  [(_, value) => typeof value === "number", checkNumber],
  [(_, value) => Array.isArray(value), checkList],
  [(schema) => schema.enum !== undefined, checkEnum],
  [(_, value) => isObject(value), checkObject],
];

const fieldName = ({ prefix, path }: CheckPlace) => {
  const name = path.replace(/^\./, "");
  if (prefix === "") return name === "" ? "<nil>" : name;
  return name === "" ? prefix : `${prefix}.${name}`;
};

/** The name by which messages call the value. */
const shown = ({ path }: CheckPlace) => path.replace(/^\./, "");

function error(place: CheckPlace, value: unknown, detail: string): FieldError {
  return { field: fieldName(place), type: "FieldValueInvalid", value, detail };
}

function typesOf(schema: Schema): readonly string[] {
  if (schema["x-kubernetes-int-or-string"] === true) return ["integer", "string"];
  return schema.type === undefined || schema.type === "" ? [] : [schema.type];
}

function typeOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

function checkType(schema: Schema, value: JsonValue, place: CheckPlace): FieldError[] {
  const types = typesOf(schema);
  const type = typeOf(value);
  const fits = types.includes(type) || (type === "integer" && types.includes("number"));
  if (fits || (value === null && schema.nullable === true)) return [];
  // Texts and lists in a place that has a format are judged by it.
  const numeric = types.includes("number") || types.includes("integer");
  if (schema.format !== undefined && !numeric && (type === "string" || type === "array")) return [];
  const detail = `${shown(place)} in body must be of type ${types.join(",")}: ${JSON.stringify(type)}`;
  return [{ field: fieldName(place), type: "FieldValueTypeInvalid", value: type, detail }];
}

function checkText(schema: Schema, value: JsonValue, place: CheckPlace): FieldError[] {
  const text = String(value);
  const errors: FieldError[] = [];
  const length = [...text].length;
  const name = `${shown(place)} in body`;
  if (schema.maxLength !== undefined && length > schema.maxLength) {
    const detail = `may not be more than ${schema.maxLength} bytes`;
    errors.push({ field: fieldName(place), type: "FieldValueTooLong", detail });
  } else if (schema.minLength !== undefined && length < schema.minLength) {
    errors.push(error(place, text, `${name} should be at least ${schema.minLength} chars long`));
  } else if (schema.pattern !== undefined && schema.pattern !== "" && !matches(schema.pattern, text)) {
    errors.push(error(place, text, `${name} should match '${schema.pattern}'`));
  }
  const format = badFormat(schema.format, text);
  if (format !== undefined) {
    const detail = `${name} must be of type ${format}: ${JSON.stringify(text)}`;
    errors.push({ field: fieldName(place), type: "FieldValueTypeInvalid", value: text, detail });
  }
  return errors;
}

const patterns = new Map<string, RegExp>();

/** A pattern of Go's syntax; one that JavaScript cannot read matches everything. */
function matches(pattern: string, text: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    try {
      compiled = new RegExp(pattern, "u");
    } catch {
      compiled = loosely(pattern);
    }
    patterns.set(pattern, compiled);
  }
  return compiled.test(text);
}

function loosely(pattern: string): RegExp {
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  try {
    return flags === null ? new RegExp(pattern) : new RegExp(pattern.slice(flags[0].length), flags[1]);
  } catch {
    // Go's own constructs: refusing every object for it would be worse.
    return /(?:)/;
  }
}

function checkNumber(schema: Schema, value: JsonValue, place: CheckPlace): FieldError[] {
  const number = Number(value);
  const { maximum, minimum, multipleOf } = schema;
  const name = `${shown(place)} in body should be`;
  const errors: FieldError[] = [];
  if (multipleOf !== undefined && !Number.isInteger(Number((number / multipleOf).toPrecision(12)))) {
    errors.push(error(place, number, `${name} a multiple of ${multipleOf}`));
  }
  if (minimum !== undefined && (number < minimum || (schema.exclusiveMinimum === true && number === minimum))) {
    const than = schema.exclusiveMinimum === true ? "greater than" : "greater than or equal to";
    errors.push(error(place, number, `${name} ${than} ${minimum}`));
  }
  if (maximum !== undefined && (number > maximum || (schema.exclusiveMaximum === true && number === maximum))) {
    const than = schema.exclusiveMaximum === true ? "less than" : "less than or equal to";
    errors.push(error(place, number, `${name} ${than} ${maximum}`));
  }
  return errors;
}

function checkEnum(schema: Schema, value: JsonValue, place: CheckPlace): FieldError[] {
  const allowed = schema.enum ?? [];
  if (allowed.some((one) => deepEqual(one, value))) return [];
  const list = allowed.map((one) => JSON.stringify(typeof one === "string" ? one : JSON.stringify(one)));
  const detail = `supported values: ${list.join(", ")}`;
  return [{ field: fieldName(place), type: "FieldValueNotSupported", value, detail }];
}

function checkList(schema: Schema, value: JsonValue, place: CheckPlace): Outcome {
  const list = value as JsonValue[];
  const out: Outcome = { errors: [], tried: 0 };
  if (typeof schema.items === "object") {
    for (const [index, item] of list.entries()) {
      const below = { ...place, path: `${place.path}[${index}]`, old: itemBefore(schema, item, place.old) };
      merge(out, validate(schema.items, item, below));
    }
  }
  const { minItems, maxItems } = schema;
  if (minItems !== undefined && list.length < minItems) {
    out.errors.push(error(place, list.length, `${shown(place)} in body should have at least ${minItems} items`));
  }
  if (maxItems !== undefined && list.length > maxItems) {
    out.errors.push(tooMany(place, list.length, maxItems));
  }
  return out;
}

function tooMany(place: CheckPlace, count: number, most: number): FieldError {
  const detail = `must have at most ${most} ${most === 1 ? "item" : "items"}`;
  return { field: fieldName(place), type: "FieldValueTooMany", value: count, detail };
}

function merge(into: Outcome, found: Outcome): void {
  into.errors.push(...found.errors);
  into.tried += found.tried;
}

function checkObject(schema: Schema, value: JsonValue, place: CheckPlace): Outcome {
  const object = value as JsonObject;
  const out: Outcome = { errors: [], tried: 0 };
  const count = Object.keys(object).length;
  const { minProperties, maxProperties } = schema;
  if (minProperties !== undefined && count < minProperties) {
    out.errors.push(error(place, count, `${shown(place)} in body should have at least ${minProperties} properties`));
  }
  if (maxProperties !== undefined && count > maxProperties) out.errors.push(tooMany(place, count, maxProperties));
  const old = isObject(place.old) ? place.old : {};
  for (const [key, child] of Object.entries(object)) {
    const known = childSchema(schema, key);
    if (known !== undefined) {
      merge(out, validate(known, child, { ...place, path: `${place.path}.${key}`, old: old[key] }));
    }
  }
  for (const key of schema.required ?? []) {
    if (Object.hasOwn(object, key)) continue;
    const field = fieldName({ ...place, path: `${place.path}.${key}` });
    out.errors.push({ field, type: "FieldValueRequired", detail: "" });
  }
  return out;
}

function childSchema(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

function checkCombinations(schema: Schema, value: JsonValue, place: CheckPlace): Outcome {
  const out: Outcome = { errors: [], tried: 1 };
  const fail = (sentence: string) => {
    const field = place.prefix === "" ? "<nil>" : place.prefix;
    const detail = `"${shown(place)}" ${sentence}`;
    out.errors.push({ field, type: "FieldValueInvalid", value: "", detail });
  };
  const tryAll = (parts: readonly Schema[] = []) => parts.map((part) => validate(part, value, place));
  const valid = (outcome: Outcome) => outcome.errors.length === 0;
  const any = tryAll(schema.anyOf);
  if (any.length > 0 && !any.some(valid)) {
    fail("must validate at least one schema (anyOf)");
    merge(out, nearest(any));
  }
  const one = tryAll(schema.oneOf);
  const fitting = one.filter(valid).length;
  if (one.length > 0 && fitting !== 1) {
    const found = fitting === 0 ? "Found none valid" : `Found ${fitting} valid alternatives`;
    fail(`must validate one and only one schema (oneOf). ${found}`);
    if (fitting === 0) merge(out, nearest(one));
  }
  const all = tryAll(schema.allOf);
  for (const outcome of all) merge(out, outcome);
  if (!all.every(valid)) fail(`must validate all the schemas (allOf)${all.some(valid) ? "" : ". None validated"}`);
  if (schema.not !== undefined && valid(validate(schema.not, value, { ...place, old: undefined }))) {
    fail("must not validate the schema (not)");
  }
  return out;
}

function nearest(outcomes: readonly Outcome[]): Outcome {
  return outcomes.reduce((best, outcome) => (outcome.tried > best.tried ? outcome : best));
}
