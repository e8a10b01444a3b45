// An OpenAPI v2 document as the protobuf of gnostic's openapi.v2.Document, in which kubectl asks for it. A message is a
// list of fields; each table says a field's number and how its value is written.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";

/** Whole fields of a message, tag and all. */
type Encoder = (number: number, value: JsonValue) => Buffer;
type Fields = Readonly<Record<string, readonly [number: number, encode: Encoder]>>;

const WIRE = { varint: 0, fixed64: 1, bytes: 2 } as const;

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

const tag = (number: number, wire: number) => Buffer.from(varint(number * 8 + wire));

function bytes(number: number, content: Buffer): Buffer {
  return Buffer.concat([tag(number, WIRE.bytes), Buffer.from(varint(content.length)), content]);
}

const text: Encoder = (number, value) => bytes(number, Buffer.from(String(value)));
const flag: Encoder = (number, value) =>
  Buffer.concat([tag(number, WIRE.varint), Buffer.from([value === true ? 1 : 0])]);
const count: Encoder = (number, value) => Buffer.concat([tag(number, WIRE.varint), Buffer.from(varint(Number(value)))]);
const double: Encoder = (number, value) => {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(Number(value));
  return Buffer.concat([tag(number, WIRE.fixed64), content]);
};

/** Any value, as YAML, of which JSON is a part. */
const ANY_YAML = 2;
const anyContent = (value: JsonValue) => text(ANY_YAML, `${JSON.stringify(value)}\n`);
const any: Encoder = (number, value) => bytes(number, anyContent(value));

const each =
  (encode: Encoder): Encoder =>
  (number, value) =>
    Buffer.concat((Array.isArray(value) ? value : [value]).map((one) => encode(number, one)));

/** A message of one field. */
const boxed =
  (inner: number, encode: Encoder): Encoder =>
  (number, value) =>
    bytes(number, encode(inner, value));

const message =
  (fields: () => Fields, extensions?: number): Encoder =>
  (number, value) =>
    bytes(number, content(fields(), isObject(value) ? value : {}, extensions));

function content(fields: Fields, value: JsonObject, extensions: number | undefined): Buffer {
  const parts: Buffer[] = [];
  for (const [key, part] of Object.entries(value)) {
    const row = fields[key];
    if (row !== undefined) parts.push(row[1](row[0], part));
    else if (extensions !== undefined && key.startsWith("x-")) parts.push(named(extensions, key, anyContent(part)));
  }
  return Buffer.concat(parts);
}

function named(number: number, name: string, value: Buffer): Buffer {
  return bytes(number, Buffer.concat([text(1, name), bytes(2, value)]));
}

/** An object as a list of names and values. */
const entries =
  (encode: Encoder): Encoder =>
  (number, value) =>
    Buffer.concat(
      Object.entries(isObject(value) ? value : {}).map(([name, part]) =>
        bytes(number, Buffer.concat([text(1, name), encode(2, part)])),
      ),
    );

const SCHEMA: Fields = {
  $ref: [1, text],
  format: [2, text],
  title: [3, text],
  description: [4, text],
  default: [5, any],
  multipleOf: [6, double],
  maximum: [7, double],
  exclusiveMaximum: [8, flag],
  minimum: [9, double],
  exclusiveMinimum: [10, flag],
  maxLength: [11, count],
  minLength: [12, count],
  pattern: [13, text],
  maxItems: [14, count],
  minItems: [15, count],
  uniqueItems: [16, flag],
  maxProperties: [17, count],
  minProperties: [18, count],
  required: [19, each(text)],
  enum: [20, each(any)],
  additionalProperties: [21, (number, value) => bytes(number, isObject(value) ? schema(1, value) : flag(2, value))],
  type: [22, boxed(1, each(text))],
  items: [23, (number, value) => bytes(number, schema(1, value))],
  properties: [25, (number, value) => bytes(number, entries(schema)(1, value))],
  example: [30, any],
};
const schema: Encoder = message(() => SCHEMA, 31);

const BODY: Fields = { name: [2, text], in: [3, text], required: [4, flag], schema: [5, schema] };
const QUERY: Fields = { required: [1, flag], in: [2, text], name: [4, text], type: [6, text], uniqueItems: [20, flag] };
const PATH: Fields = { required: [1, flag], in: [2, text], name: [4, text], type: [5, text], uniqueItems: [19, flag] };
const ELSEWHERE: Readonly<Record<string, Encoder>> = {
  query: boxed(
    3,
    message(() => QUERY),
  ),
  path: boxed(
    4,
    message(() => PATH),
  ),
};

/** Of the two kinds of ParametersItem, the one that is no reference. */
const PARAMETER = 1;
const oneParameter: Encoder = (number, value) => {
  const elsewhere = isObject(value) ? ELSEWHERE[String(value["in"])] : undefined;
  const inside = elsewhere === undefined ? message(() => BODY)(1, value) : elsewhere(2, value);
  return bytes(number, bytes(PARAMETER, inside));
};

const RESPONSE: Fields = { description: [1, text], schema: [2, boxed(1, schema)] };
const response = boxed(
  1,
  message(() => RESPONSE),
);
const OPERATION: Fields = {
  parameters: [8, each(oneParameter)],
  responses: [9, (number, value) => bytes(number, entries(response)(1, value))],
};
const operation: Encoder = message(() => OPERATION, 13);
const PATH_ITEM: Fields = {
  get: [2, operation],
  put: [3, operation],
  post: [4, operation],
  delete: [5, operation],
  patch: [8, operation],
  parameters: [9, each(oneParameter)],
};
const INFO: Fields = { title: [1, text], version: [2, text] };
const DOCUMENT: Fields = {
  swagger: [1, text],
  info: [2, message(() => INFO)],
  paths: [8, (number, value) => bytes(number, entries(message(() => PATH_ITEM))(2, value))],
  definitions: [9, (number, value) => bytes(number, entries(schema)(1, value))],
};

export function openApiProtobuf(document: JsonObject): Buffer {
  return content(DOCUMENT, document, undefined);
}
