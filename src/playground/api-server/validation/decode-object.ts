// What decoding does to an object that came in: fields that its schema does not know are dropped and told, nulls go, and
// values of a wrong type are told.
import type { JsonObject, JsonValue } from "../contract.ts";
import { zeroValues } from "../gen/zero-values.ts";
import { isObject } from "../json.ts";
import { canonicalQuantity, nanoUnits, parseQuantity } from "../quantity.ts";
import { isRawObject, resolve, type Schema } from "../schema/schema.ts";
import { MICRO_LAYOUT, readGoTime, SECONDS_LAYOUT } from "./go-time.ts";

export interface DecodeReport {
  /** Paths of unknown fields, such as `spec.template.spec.containers[0].imag`. */
  readonly unknown: string[];
  readonly mistyped: Mistyped[];
  /** What Go says of texts that are no quantity, time or base64. */
  readonly malformed: string[];
}

export interface Mistyped {
  readonly path: string;
  readonly expected: string;
  readonly value: JsonValue;
  /** As Go names it: the struct that has the field, then the names of fields on the way, without indices and map keys. */
  readonly goField: string;
  readonly goType: string;
}

/** Returns the object without what its schema does not know; the argument is not changed. */
export function decodeObject(
  schema: Schema,
  object: JsonObject,
  definition?: string,
): { object: JsonObject; report: DecodeReport } {
  const report: DecodeReport = { unknown: [], mistyped: [], malformed: [] };
  const out = decode(schema, object, { path: "", report, struct: definition ?? "", goPath: "", named: undefined });
  return { object: isObject(out) ? out : {}, report };
}

interface Place {
  readonly path: string;
  readonly report: DecodeReport;
  /** Full name of the definition around. */
  readonly struct: string;
  readonly goPath: string;
  /** Go's own name of the field's type, where it has one. */
  readonly named: string | undefined;
  /** A value of a map, not of a field. */
  readonly inMap?: boolean;
}

/** Times that count microseconds. */
const MICRO = "micro";

const lastName = (definition: string) => definition.slice(definition.lastIndexOf(".") + 1);

function tellMistyped(raw: Schema, value: JsonValue, expected: string, place: Place): void {
  const goType = place.named === undefined || place.named === MICRO ? goTypeOf(raw) : place.named;
  const goField = `${lastName(place.struct)}.${place.goPath}`;
  place.report.mistyped.push({ path: place.path, expected, value, goField, goType });
}

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const EMBEDDED: Readonly<Record<string, Schema>> = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { $ref: `#/components/schemas/${OBJECT_META}` },
};

function decode(raw: Schema, value: JsonValue, place: Place): JsonValue {
  const schema = resolve(raw) ?? {};
  if (schema.format === "byte" && Array.isArray(value)) return decodeBytes(value, place);
  const expected = isRawObject(schema) ? undefined : mismatch(schema, value);
  if (expected !== undefined) {
    tellMistyped(raw, value, expected, place);
    return value;
  }
  if (schema.format === "quantity" && typeof value === "object" && value !== null) {
    place.report.malformed.push(NO_QUANTITY);
    return value;
  }
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items === undefined) return value;
    return value.map((item, index) =>
      item === null
        ? zeroOf(items)
        : decode(items, item, { ...place, path: `${place.path}[${index}]`, named: place.named?.replace(/^\[\]/, "") }),
    );
  }
  const struct = raw.$ref === undefined ? place.struct : raw.$ref.slice(raw.$ref.lastIndexOf("/") + 1);
  if (isObject(value)) return decodeFields(schema, value, { ...place, struct });
  return readText(schema, value, place);
}

/** Go takes a list of numbers for bytes too. */
function decodeBytes(list: readonly JsonValue[], place: Place): JsonValue {
  const isByte = (item: JsonValue) => Number.isInteger(item) && Number(item) >= 0 && Number(item) < 256;
  const bad = list.find((item) => item !== null && !isByte(item));
  if (bad !== undefined) tellMistyped({ type: "integer" }, bad, "integer", { ...place, named: "uint8" });
  return Buffer.from(list.map(Number)).toString("base64");
}

function decodeFields(schema: Schema, value: JsonObject, place: Place): JsonObject {
  const out: JsonObject = {};
  const open = isOpen(schema);
  for (const [key, child] of Object.entries(value)) {
    const known = knownField(schema, key);
    if (known !== undefined && staysAsIs(known, child)) {
      out[key] = child;
      continue;
    }
    const path = place.path === "" ? key : `${place.path}.${key}`;
    if (known === undefined) {
      if (open) out[key] = child;
      else place.report.unknown.push(path);
      continue;
    }
    const isField = schema.properties !== undefined && Object.hasOwn(schema.properties, key);
    if (child !== null || isNullable(known))
      out[key] = decode(
        known,
        child,
        isField ? fieldPlace(place, path, key) : { ...place, path, named: undefined, inMap: true },
      );
    // A field is not there then; in a map the key stays.
    else if (!isField) out[key] = zeroOf(known);
  }
  return out;
}

/** Formats of texts that Go reads as something else. */
const READ_FORMATS: ReadonlySet<string | undefined> = new Set(["quantity", "date-time", "byte"]);

/** Most values are right, and then nobody asks where they stand. */
function staysAsIs(raw: Schema, value: JsonValue): boolean {
  if (typeof value === "object") return false;
  const schema = raw.$ref === undefined ? raw : resolve(raw);
  return schema !== undefined && !READ_FORMATS.has(schema.format) && mismatch(schema, value) === undefined;
}

const ZEROS: Readonly<Record<string, JsonValue>> = { string: "", integer: 0, number: 0, boolean: false };

/** What null means as an item of a list or a value of a map. */
function zeroOf(raw: Schema): JsonValue {
  const schema = resolve(raw) ?? {};
  if (schema.format === "quantity") return "0";
  if (schema.format === "date-time" || isNullable(schema)) return null;
  if (schema["x-kubernetes-int-or-string"] === true) return 0;
  if (schema.type === "object") return schema.properties === undefined ? null : {};
  return ZEROS[schema.type ?? ""] ?? null;
}

function fieldPlace(place: Place, path: string, key: string): Place {
  const facts = zeroValues[place.struct];
  const inside = facts?.inside?.[key];
  const goPath = joined(place.goPath, inside === undefined ? key : `${inside}.${key}`);
  return { ...place, path, goPath, named: facts?.types[key], inMap: false };
}

function knownField(schema: Schema, key: string): Schema | undefined {
  if (schema.properties !== undefined && Object.hasOwn(schema.properties, key)) return schema.properties[key];
  if (schema["x-kubernetes-embedded-resource"] === true && Object.hasOwn(EMBEDDED, key)) return EMBEDDED[key];
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
}

/** A schema that says nothing, or says that it keeps what it does not know. */
function isOpen(schema: Schema): boolean {
  return (
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema.additionalProperties === true ||
    (schema.type === undefined && schema.properties === undefined)
  );
}

function isNullable(raw: Schema): boolean {
  const schema = resolve(raw) ?? {};
  if (schema["x-kubernetes-int-or-string"] === true && schema.nullable !== true) return false;
  return schema.nullable === true || (schema.type === undefined && isOpen(schema));
}

const joined = (path: string, key: string) => (path === "" ? key : `${path}.${key}`);

const SCALARS: Readonly<Record<string, string>> = { boolean: "bool", number: "float64", string: "string" };

/** Go's name for what a schema describes. */
function goTypeOf(raw: Schema | undefined): string {
  if (raw?.$ref !== undefined && resolve(raw)?.["x-kubernetes-int-or-string"] !== true)
    return raw.$ref.split(".").slice(-2).join(".");
  const schema = resolve(raw) ?? {};
  if (schema["x-kubernetes-int-or-string"] === true) return "int32";
  if (schema.type === "array") return `[]${goTypeOf(schema.items)}`;
  if (schema.type === "integer") return schema.format === "int64" ? "int64" : "int32";
  if (schema.format === "byte") return "[]uint8";
  if (schema.type !== "object") return SCALARS[schema.type ?? ""] ?? "interface {}";
  const values = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  return `map[string]${goTypeOf(values)}`;
}

const NO_QUANTITY = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const LEAST_AMOUNT = 1_000_000n;
const CORE = "io.k8s.api.core.v1.";

/** Texts that Go reads as something else, in the form in which it writes them. */
function readText(schema: Schema, value: JsonValue, place: Place): JsonValue {
  const { malformed } = place.report;
  if (schema.format === "quantity" && value !== null) {
    if (parseQuantity(String(value).trim()) === undefined) malformed.push(NO_QUANTITY);
    // Kubernetes reads `cpu: 1` and `cpu: 1000m`, and writes `cpu: "1"`.
    const shown = canonicalQuantity(String(value));
    return place.inMap === true && place.struct.startsWith(CORE) ? inMilliUnits(shown) : shown;
  }
  if (typeof value !== "string") return value;
  if (schema.format === "date-time") {
    const { text, fault } = readGoTime(value, place.named === MICRO ? MICRO_LAYOUT : SECONDS_LAYOUT);
    if (fault === "") return text;
    malformed.push(fault);
  }
  const bad = schema.format === "byte" ? badBase64(value) : -1;
  if (bad >= 0) malformed.push(`illegal base64 data at input byte ${bad}`);
  return value;
}

/** The core's lists of resources know nothing smaller. */
function inMilliUnits(text: string): string {
  const nano = nanoUnits(text);
  const rest = ((nano % LEAST_AMOUNT) + LEAST_AMOUNT) % LEAST_AMOUNT;
  return rest === 0n ? text : canonicalQuantity(`${(nano - rest) / LEAST_AMOUNT + 1n}m`);
}

/** Where base64 goes wrong, or -1. */
function badBase64(text: string): number {
  const bare = text.replaceAll(/[\r\n]/g, "");
  const letters = /^[A-Za-z0-9+/]*/.exec(bare)?.[0] ?? "";
  const padding = bare.slice(letters.length);
  if (padding === "") return bare.length % 4 === 0 ? -1 : bare.length - (bare.length % 4);
  if (!/^={1,2}$/.test(padding)) return letters.length;
  return bare.length % 4 === 0 ? -1 : letters.length;
}

const INT_LIMITS: Readonly<Record<string, number>> = { int32: 2 ** 31, int64: 2 ** 63 };

function isInteger(value: JsonValue, schema: Schema): boolean {
  if (typeof value !== "number" || !Number.isInteger(value)) return false;
  const limit = INT_LIMITS[schema.format ?? ""] ?? 2 ** 63;
  return value < limit && value >= -limit;
}

const CHECKS: Readonly<Record<string, (value: JsonValue, schema: Schema) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: isInteger,
  number: (value) => typeof value === "number",
};

function mismatch(schema: Schema, value: JsonValue): string | undefined {
  if (value === null) return undefined;
  if (schema["x-kubernetes-int-or-string"] === true) {
    const isText = typeof value === "string" || isInteger(value, { format: "int32" });
    return isText || schema.format === "quantity" ? undefined : "integer or string";
  }
  const check = schema.type === undefined ? undefined : CHECKS[schema.type];
  return check === undefined || check(value, schema) ? undefined : schema.type;
}
