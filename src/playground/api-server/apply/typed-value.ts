// How a schema divides a value into fields that can be owned: the rules of structured merge.
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject } from "../json.ts";
import { fieldSchema, itemSchema, type Schema } from "../schema/schema.ts";
import { childOf, emptySet, type FieldSet } from "./field-set.ts";

/** Keys of list items that may be left out, with what they mean then. */
const KEY_DEFAULTS: Readonly<Record<string, JsonValue>> = { protocol: "TCP" };

export type Shape = "leaf" | "map" | "keyedList" | "set";

export function shapeOf(schema: Schema | undefined, value: JsonValue | undefined): Shape {
  if (isObject(value)) return schema?.["x-kubernetes-map-type"] === "atomic" ? "leaf" : "map";
  if (!Array.isArray(value)) return "leaf";
  const type = schema?.["x-kubernetes-list-type"];
  if (type === "map") return "keyedList";
  return type === "set" ? "set" : "leaf";
}

/** The edge that names an item of a keyed list or of a set. */
export function itemEdge(schema: Schema | undefined, item: JsonValue): string {
  const keys = schema?.["x-kubernetes-list-map-keys"];
  if (schema?.["x-kubernetes-list-type"] !== "map" || keys === undefined || !isObject(item)) {
    return `v:${JSON.stringify(item)}`;
  }
  const named: JsonObject = {};
  for (const key of [...keys].sort()) {
    const value = item[key] ?? KEY_DEFAULTS[key];
    if (value !== undefined) named[key] = value;
  }
  return `k:${JSON.stringify(named)}`;
}

/** All fields that an applied configuration sets. */
export function fieldsOf(schema: Schema | undefined, value: JsonValue): FieldSet {
  const set = emptySet();
  collect(schema, value, set);
  return set;
}

function collect(schema: Schema | undefined, value: JsonValue, into: FieldSet): void {
  const shape = shapeOf(schema, value);
  if (shape === "map" && isObject(value) && Object.keys(value).length > 0) {
    for (const [key, child] of Object.entries(value))
      collect(fieldSchema(schema, key), child, childOf(into, `f:${key}`));
    return;
  }
  if ((shape === "keyedList" || shape === "set") && Array.isArray(value) && value.length > 0) {
    for (const item of value) {
      const node = childOf(into, itemEdge(schema, item));
      if (shape === "keyedList") collect(itemSchema(schema), item, node);
      node.member = true;
    }
    return;
  }
  into.member = true;
}

export interface Comparison {
  /** Added or modified. */
  readonly changed: FieldSet;
  readonly removed: FieldSet;
}

/** What differs between two states of an object. */
export function compare(schema: Schema | undefined, before: JsonValue, after: JsonValue): Comparison {
  const comparison = { changed: emptySet(), removed: emptySet() };
  compareValues(schema, [before, after], comparison);
  return comparison;
}

type Pair = readonly [JsonValue | undefined, JsonValue | undefined];

function compareValues(schema: Schema | undefined, [before, after]: Pair, into: Comparison): void {
  if (deepEqual(before, after)) return;
  const shape = shapeOf(schema, after ?? before ?? undefined);
  const same = before == null || after == null || shapeOf(schema, before) === shape;
  if (shape === "leaf" || !same || (isBare(before) && isBare(after))) {
    markChange([before, after], into);
    return;
  }
  // What appears or goes as a whole is itself a member.
  if (before === undefined || after === undefined) markChange([before, after], into);
  const [olds, news] = [partsOf(schema, before), partsOf(schema, after)];
  for (const edge of new Set([...olds.keys(), ...news.keys()])) {
    const pair: Pair = [olds.get(edge), news.get(edge)];
    const below = { changed: childOf(into.changed, edge), removed: childOf(into.removed, edge) };
    if (shape === "map") {
      const present = isAlwaysThere(schema, edge) ? withStruct(pair, [before, after]) : pair;
      compareValues(fieldSchema(schema, edge.slice(2)), present, below);
      continue;
    }
    if (pair[0] === undefined || pair[1] === undefined) markChange(pair, below);
    if (shape !== "set") compareValues(itemSchema(schema), pair, below);
  }
}

const isAlwaysThere = (schema: Schema | undefined, edge: string) =>
  schema?.properties?.[edge.slice(2)]?.["x-go-struct"] === true;

/** A struct is there, if empty, wherever its parent is. */
function withStruct([before, after]: Pair, [parentBefore, parentAfter]: Pair): Pair {
  return [before ?? (isObject(parentBefore) ? {} : undefined), after ?? (isObject(parentAfter) ? {} : undefined)];
}

function markChange([, after]: Pair, into: Comparison): void {
  (after === undefined ? into.removed : into.changed).member = true;
}

const isBare = (value: JsonValue | undefined) =>
  value === undefined || value === null || (typeof value === "object" && Object.keys(value).length === 0);

/** The parts of a map or list by their edges. */
export function partsOf(schema: Schema | undefined, value: JsonValue | undefined): Map<string, JsonValue> {
  if (isObject(value)) return new Map(Object.entries(value).map(([key, child]) => [`f:${key}`, child]));
  if (Array.isArray(value)) return new Map(value.map((item) => [itemEdge(schema, item), item]));
  return new Map();
}
