// JSON as CEL sees it: what its schema says decides whether a number is an int or a double and whether a text is a time.
import type { CelInput } from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { resolve, type Schema } from "../schema/schema.ts";

/** A value for an expression. Without a schema whole numbers are ints and texts are texts. */
export function celInput(schema: Schema | undefined, value: JsonValue): CelInput {
  const known = resolve(schema);
  if (typeof value === "number") return isDouble(known, value) ? value : BigInt(value);
  if (typeof value === "string") return textInput(known, value);
  if (Array.isArray(value)) return value.map((item) => celInput(known?.items, item));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([key, child]): [string, CelInput] => {
    const declared = known?.properties?.[key];
    const rest = typeof known?.additionalProperties === "object" ? known.additionalProperties : undefined;
    return [declared === undefined ? key : escapeName(key), celInput(declared ?? rest, child)];
  });
  return new Map(entries);
}

const isDouble = (schema: Schema | undefined, value: number) => schema?.type === "number" || !Number.isInteger(value);

function textInput(schema: Schema | undefined, value: string): CelInput {
  if (schema?.format === "date-time" || schema?.format === "date") {
    const time = Date.parse(value);
    return Number.isNaN(time) ? value : timestampFromMs(time);
  }
  if (schema?.format === "duration") return durationInput(value) ?? value;
  return schema?.format === "byte" ? new Uint8Array(Buffer.from(value, "base64")) : value;
}

const UNITS: Readonly<Record<string, number>> = { h: 3600e9, m: 60e9, s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 };

/** A duration in Go's words, such as `1h30m`. */
function durationInput(text: string): CelInput | undefined {
  const match = /^([-+]?)((?:\d+(?:\.\d*)?(?:h|ms|m|s|us|µs|ns))+|0)$/.exec(text);
  if (match === null) return undefined;
  const parts = [...(match[2] ?? "").matchAll(/(\d+(?:\.\d*)?)(h|ms|m|s|us|µs|ns)/g)];
  const total = parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ""] ?? 0), 0);
  const signed = match[1] === "-" ? -total : total;
  return create(DurationSchema, { seconds: BigInt(Math.trunc(signed / 1e9)), nanos: signed % 1e9 });
}

/** Words that CEL keeps for itself. */
const RESERVED = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return var void while".split(
    " ",
  ),
);

const SPECIAL: Readonly<Record<string, string>> = {
  __: "__underscores__",
  ".": "__dot__",
  "-": "__dash__",
  "/": "__slash__",
};

/** The name by which expressions call a field: `a-b` is `a__dash__b`. */
export function escapeName(name: string): string {
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replace(/__|[.\-/]/g, (found) => SPECIAL[found] ?? found);
}
