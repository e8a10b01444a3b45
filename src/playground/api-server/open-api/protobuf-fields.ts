// JSON as protobuf, for the two messages in which gnostic has OpenAPI documents. A message is a table of fields; each
// says its number and how its value is written. Zero values are left out, fields come in the order of their numbers.
import { stringify } from "yaml";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";

/** Whole fields of a message, tag and all. */
export type Encoder = (number: number, value: JsonValue) => Buffer;
export type Fields = Readonly<Record<string, readonly [number: number, encode: Encoder]>>;

const WIRE = { varint: 0, fixed64: 1, bytes: 2 } as const;
const NOTHING = Buffer.alloc(0);

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function tag(number: number, wire: number): Buffer {
  return Buffer.from(varint(number * 8 + wire));
}

export function bytes(number: number, content: Buffer): Buffer {
  return Buffer.concat([tag(number, WIRE.bytes), Buffer.from(varint(content.length)), content]);
}

/** In a list, where the empty one counts too. */
export const word: Encoder = (number, value) => bytes(number, Buffer.from(String(value)));
export const text: Encoder = (number, value) => (value === "" ? NOTHING : word(number, value));

/** Where false is told from nothing. */
export const choice: Encoder = (number, value) =>
  Buffer.concat([tag(number, WIRE.varint), Buffer.from([value === true ? 1 : 0])]);
export const flag: Encoder = (number, value) => (value === true ? choice(number, value) : NOTHING);

export const count: Encoder = (number, value) =>
  value === 0 ? NOTHING : Buffer.concat([tag(number, WIRE.varint), Buffer.from(varint(Number(value)))]);

/** Where zero is told from nothing. */
export const amount: Encoder = (number, value) => {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(Number(value));
  return Buffer.concat([tag(number, WIRE.fixed64), content]);
};
export const double: Encoder = (number, value) => (value === 0 ? NOTHING : amount(number, value));

/** Any value, as YAML. */
const ANY_YAML = 2;
/** By JSON, for the document that is being written. */
const yamlOf = new Map<string, string>();
function anyContent(value: JsonValue): Buffer {
  const key = JSON.stringify(value);
  const known = yamlOf.get(key) ?? asGoWrites(value);
  yamlOf.set(key, known);
  return text(ANY_YAML, known);
}
/** Nothing, true or false, a number. */
const OTHER = /^(~|null|true|false|[-+]?(\d+|0x[\da-f]+|0o[0-7]+|(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|\.inf)|\.nan)?$/i;
const DATE = /(^|[:-] )(\d{4}-\d\d?-\d\d?([Tt ]\S.*)?)$/gm;
const QUOTED = /(^|[:-] )'([^'\n]*)'$/gm;

/** Text that would be read as something else stands in double quotes, other text in single ones where it must. */
function asGoWrites(value: JsonValue): string {
  const written = stringify(value, { lineWidth: 0, singleQuote: true });
  return written
    .replace(DATE, '$1"$2"')
    .replace(QUOTED, (whole, before: string, text: string) => (OTHER.test(text) ? `${before}"${text}"` : whole));
}

export const any: Encoder = (number, value) => bytes(number, anyContent(value));

export const each =
  (encode: Encoder): Encoder =>
  (number, value) =>
    Buffer.concat((Array.isArray(value) ? value : [value]).map((one) => encode(number, one)));

/** A message of one field. */
export const boxed =
  (inner: number, encode: Encoder): Encoder =>
  (number, value) =>
    bytes(number, encode(inner, value));

/** What begins with `x-` stands in the field `extensions`. */
export const message =
  (fields: () => Fields, extensions?: number): Encoder =>
  (number, value) =>
    bytes(number, messageContent(fields(), isObject(value) ? value : {}, extensions));

function messageContent(fields: Fields, value: JsonObject, extensions?: number): Buffer {
  const known = Object.keys(value)
    .flatMap((key) => (fields[key] === undefined ? [] : [{ row: fields[key], part: value[key] ?? null }]))
    .sort((a, b) => a.row[0] - b.row[0])
    .map(({ row: [number, encode], part }) => encode(number, part));
  if (extensions === undefined) return Buffer.concat(known);
  const others = Object.entries(value).filter(([key]) => key.startsWith("x-"));
  return Buffer.concat([...known, ...others.map(([key, part]) => named(extensions, key, anyContent(part)))]);
}

/**
 * A whole document. Many of its values of any form stand in it again and again: they become YAML once, and are forgotten
 * with its end.
 */
export function documentContent(fields: Fields, document: JsonObject): Buffer {
  try {
    return messageContent(fields, document);
  } finally {
    yamlOf.clear();
  }
}

function named(number: number, name: string, value: Buffer): Buffer {
  return bytes(number, Buffer.concat([text(1, name), bytes(2, value)]));
}

/** An object as a list of names and values. */
export const entries =
  (encode: Encoder): Encoder =>
  (number, value) =>
    Buffer.concat(
      Object.entries(isObject(value) ? value : {}).map(([name, part]) =>
        bytes(number, Buffer.concat([text(1, name), encode(2, part)])),
      ),
    );

const reference = message(() => ({ $ref: [1, text] }));

/** One of two messages: the thing itself, or where it stands. */
export const orReference =
  (itself: Encoder): Encoder =>
  (number, value) =>
    bytes(number, isObject(value) && value["$ref"] !== undefined ? reference(2, value) : itself(1, value));
