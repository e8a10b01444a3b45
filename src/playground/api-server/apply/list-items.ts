// How items of lists are named in sets of fields: `k:{...}` by their keys, `v:...` by their value.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { keyDefault, type ListForm } from "./atoms.ts";

/** Go writes these so wherever JSON may stand in HTML. */
const ESCAPED: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** JSON as Go writes it. */
export const goJson = (value: JsonValue): string =>
  JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (sign) => ESCAPED[sign] ?? "");

/** The edge of a set's item. */
export const valueEdge = (value: JsonValue) => `v:${goJson(value)}`;

/** The edge of a keyed item; keys in order. */
export const keyEdge = (keys: JsonObject) =>
  `k:${goJson(Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1))))}`;

/** The edge that names an item, or why it has none. */
export function itemEdge(list: ListForm, item: JsonValue): { readonly edge: string } | { readonly fault: string } {
  return list.keys === undefined || list.keys.length === 0 ? setEdge(item) : keyedEdge(list, list.keys, item);
}

function setEdge(item: JsonValue): { edge: string } | { fault: string } {
  if (isObject(item)) return { fault: "associative list without keys has an element that's a map type" };
  if (Array.isArray(item)) return { fault: "not supported: associative list with lists as elements" };
  if (item === null) return { fault: "associative list without keys has an element that's an explicit null" };
  return { edge: valueEdge(item) };
}

function keyedEdge(list: ListForm, keys: readonly string[], item: JsonValue): { edge: string } | { fault: string } {
  if (item === null) return { fault: "associative list with keys may not have a null element" };
  if (!isObject(item)) return { fault: "associative list with keys may not have non-map elements" };
  const named: JsonObject = {};
  for (const key of keys) {
    const value = Object.hasOwn(item, key) ? item[key] : keyDefault(list, key);
    if (value !== undefined) named[key] = value;
  }
  if (Object.keys(named).length === 0) {
    const shown = `[${keys.map((key) => JSON.stringify(key)).join(" ")}]`;
    return {
      fault: `associative list with keys has an element that omits all key fields ${shown} (and doesn't have default values for any key fields)`,
    };
  }
  return { edge: keyEdge(named) };
}

/** The edge of an item of a list that was checked before. */
export function edgeOf(list: ListForm, item: JsonValue): string | undefined {
  const named = itemEdge(list, item);
  return "edge" in named ? named.edge : undefined;
}
