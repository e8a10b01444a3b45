// JSON in which keys stand twice, read as Go's decoder fills one struct with both: what the later says is laid over what
// the earlier said.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";

const TOKENS = /[{}[\],:]|"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+/g;

/** `text` is well-formed JSON. */
export function parseMerging(text: string): JsonValue {
  const tokens = text.match(TOKENS) ?? [];
  return readValue({ tokens, at: 0 });
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
}

const next = (reader: Reader) => reader.tokens[reader.at++] ?? "";
const sees = (reader: Reader, token: string) => reader.tokens[reader.at] === token;

function readValue(reader: Reader): JsonValue {
  const token = next(reader);
  if (token === "{") return readObject(reader);
  if (token === "[") return readList(reader);
  return JSON.parse(token) as JsonValue;
}

function readObject(reader: Reader): JsonObject {
  const object: JsonObject = {};
  while (!sees(reader, "}")) {
    const key = String(JSON.parse(next(reader)));
    reader.at++;
    const value = readValue(reader);
    object[key] = Object.hasOwn(object, key) ? laidOver(object[key] ?? null, value) : value;
    if (sees(reader, ",")) reader.at++;
  }
  reader.at++;
  return object;
}

function readList(reader: Reader): JsonValue[] {
  const list: JsonValue[] = [];
  while (!sees(reader, "]")) {
    list.push(readValue(reader));
    if (sees(reader, ",")) reader.at++;
  }
  reader.at++;
  return list;
}

function laidOver(earlier: JsonValue, later: JsonValue): JsonValue {
  if (Array.isArray(earlier) && Array.isArray(later))
    return later.map((item, index) => laidOver(earlier[index] ?? null, item));
  if (!isObject(earlier) || !isObject(later)) return later;
  const merged = { ...earlier };
  for (const [key, value] of Object.entries(later)) merged[key] = laidOver(merged[key] ?? null, value);
  return merged;
}
