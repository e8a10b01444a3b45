// What decoding does to an object that came in: fields that its schema does not know are dropped and told, nulls go, and
// values of a wrong type are told.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { canonicalQuantity } from "../quantity.ts";
import { resolve, type Schema } from "../schema/schema.ts";

export interface DecodeReport {
  /** Paths of unknown fields, such as `spec.template.spec.containers[0].imag`. */
  readonly unknown: string[];
  readonly mistyped: { readonly path: string; readonly expected: string; readonly value: JsonValue }[];
}

/** Returns the object without what its schema does not know; the argument is not changed. */
export function decodeObject(schema: Schema, object: JsonObject): { object: JsonObject; report: DecodeReport } {
  const report: DecodeReport = { unknown: [], mistyped: [] };
  const out = decode(schema, object, { path: "", report });
  return { object: isObject(out) ? out : {}, report };
}

interface Place {
  readonly path: string;
  readonly report: DecodeReport;
}

const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const EMBEDDED: Readonly<Record<string, Schema>> = {
  apiVersion: { type: "string" },
  kind: { type: "string" },
  metadata: { $ref: `#/components/schemas/${OBJECT_META}` },
};

function decode(raw: Schema, value: JsonValue, place: Place): JsonValue {
  const schema = resolve(raw) ?? {};
  const expected = mismatch(schema, value);
  if (expected !== undefined) {
    place.report.mistyped.push({ path: place.path, expected, value });
    return value;
  }
  if (Array.isArray(value)) {
    const items = schema.items;
    if (items === undefined) return value;
    return value.map((item, index) => decode(items, item, { ...place, path: `${place.path}[${index}]` }));
  }
  if (isObject(value)) return decodeFields(schema, value, place);
  // Kubernetes reads `cpu: 1` and `cpu: 1000m`, and writes `cpu: "1"`.
  return schema.format === "quantity" && value !== null ? canonicalQuantity(String(value)) : value;
}

function decodeFields(schema: Schema, value: JsonObject, place: Place): JsonObject {
  const out: JsonObject = {};
  const open = isOpen(schema);
  for (const [key, child] of Object.entries(value)) {
    const path = place.path === "" ? key : `${place.path}.${key}`;
    const known = knownField(schema, key);
    if (known !== undefined) {
      if (child === null && !isNullable(known)) continue;
      out[key] = decode(known, child, { ...place, path });
    } else if (open) out[key] = child;
    else place.report.unknown.push(path);
  }
  return out;
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
  return schema.nullable === true || (schema.type === undefined && isOpen(schema));
}

const CHECKS: Readonly<Record<string, (value: JsonValue) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: (value) => typeof value === "number" && Number.isInteger(value),
  number: (value) => typeof value === "number",
};

function mismatch(schema: Schema, value: JsonValue): string | undefined {
  if (value === null) return undefined;
  if (schema["x-kubernetes-int-or-string"] === true) {
    return typeof value === "string" || typeof value === "number" ? undefined : "integer or string";
  }
  const check = schema.type === undefined ? undefined : CHECKS[schema.type];
  return check === undefined || check(value) ? undefined : schema.type;
}
