// How large the values of a schema can be: what the cost of a rule is reckoned from.
import { resolve, type Schema } from "../schema/schema.ts";
import { escapeName } from "./values.ts";

export interface SizedType {
  /** Characters, items or fields; 0 where that says nothing. */
  readonly most: number;
  /** Of the smallest value as JSON. */
  readonly minBytes: number;
  readonly item?: SizedType;
  readonly fields?: Readonly<Record<string, SizedType>>;
}

/** Of a whole request. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024;

const EMPTY_TEXT: SizedType = { most: 0, minBytes: 2 };
const SCALARS: Readonly<Record<string, SizedType>> = {
  boolean: { most: 0, minBytes: 4 },
  number: { most: 0, minBytes: 1 },
  integer: { most: 0, minBytes: 1 },
};
const TEXTS: Readonly<Record<string, SizedType>> = {
  duration: { most: 32, minBytes: 3 },
  date: { most: 12, minBytes: 12 },
  "date-time": { most: 32, minBytes: 21 },
};

/** Undefined for values that no expression may name. */
export function sizedType(given: Schema | undefined, root: boolean): SizedType | undefined {
  const schema = resolve(given);
  if (schema === undefined) return undefined;
  if (schema["x-kubernetes-int-or-string"] === true) return { most: textLength(schema), minBytes: 1 };
  if (schema.type === "array") return listType(schema);
  if (schema.type === "object" || root) return objectType(schema, root);
  return schema.type === "string" ? textType(schema) : SCALARS[schema.type ?? ""];
}

const isEmbedded = (schema: Schema) => schema["x-kubernetes-embedded-resource"] === true;
const atLeastNone = (value: number) => Math.max(0, value);

function listType(schema: Schema): SizedType | undefined {
  const item = schema.items && sizedType(schema.items, isEmbedded(schema.items));
  if (item === undefined) return undefined;
  const most = schema.maxItems ?? Math.trunc((MAX_REQUEST_BYTES - 2) / (item.minBytes + 1));
  return { most: atLeastNone(most), minBytes: 2, item };
}

function objectType(schema: Schema, root: boolean): SizedType | undefined {
  const rest = schema.additionalProperties;
  if (typeof rest === "object") {
    const item = sizedType(rest, isEmbedded(rest));
    if (item === undefined) return undefined;
    const most = schema.maxProperties ?? Math.trunc((MAX_REQUEST_BYTES - 2) / (item.minBytes + 6));
    return { most: atLeastNone(most), minBytes: 2, item };
  }
  const fields: Record<string, SizedType> = {};
  let minBytes = 2;
  for (const [name, child] of Object.entries({ ...schema.properties, ...(root ? META : {}) })) {
    const type = sizedType(child, isEmbedded(child));
    if (type === undefined) continue;
    fields[escapeName(name)] = type;
    if (schema.required?.includes(name) === true && child.default === undefined)
      minBytes += name.length + type.minBytes + 4;
  }
  return { most: 0, minBytes, fields };
}

const TEXT: Schema = { type: "string" };
const META: Readonly<Record<string, Schema>> = {
  apiVersion: TEXT,
  kind: TEXT,
  metadata: { type: "object", properties: { name: TEXT, generateName: TEXT } },
};

function textType(schema: Schema): SizedType {
  const format = TEXTS[schema.format ?? ""];
  if (format !== undefined) return format;
  if (schema.format === "byte") return { ...EMPTY_TEXT, most: atLeastNone(schema.maxLength ?? MAX_REQUEST_BYTES - 2) };
  return { ...EMPTY_TEXT, most: textLength(schema) };
}

/** In bytes: a character may take four. */
function textLength(schema: Schema): number {
  if (schema.maxLength !== undefined) return atLeastNone(schema.maxLength) * 4;
  const values = schema["x-kubernetes-int-or-string"] === true ? [] : (schema.enum ?? []);
  if (values.length === 0) return MAX_REQUEST_BYTES - 2;
  return Math.max(0, ...values.map((value) => (typeof value === "string" ? Buffer.byteLength(value) : 0)));
}
