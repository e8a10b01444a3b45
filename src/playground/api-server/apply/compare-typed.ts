// What differs between two states of an object, as sets of fields.
import type { JsonObject, JsonValue } from "../contract.ts";
import { deepEqual, isObject } from "../json.ts";
import { type Atom, atomFor, atomOf, formOf, type ListForm, type MapForm, type Type } from "./atoms.ts";
import { emptySet, type FieldSet, insert } from "./field-set.ts";
import { edgeOf } from "./list-items.ts";

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

type Pair = readonly [JsonValue | undefined, JsonValue | undefined];

interface Place extends Comparison {
  readonly path: string[];
}

export function compare(type: Type, before: JsonValue, after: JsonValue): Comparison {
  const comparison = { added: emptySet(), modified: emptySet(), removed: emptySet() };
  compareAt(type, [before, after], { ...comparison, path: [] });
  return comparison;
}

function compareAt(type: Type, pair: Pair, place: Place): void {
  const [before, after] = pair;
  if (before !== undefined && after !== undefined && deepEqual(before, after)) return;
  const atom = atomOf(type);
  const [old, next] = [atomFor(atom, before), atomFor(atom, after)];
  if (after !== undefined && before !== undefined && !sameForms(old, next)) compareForm(old, pair, place);
  const whole = compareForm(after === undefined ? old : next, pair, place);
  if (whole) return;
  if (before === undefined) insert(place.added, place.path);
  else if (after === undefined) insert(place.removed, place.path);
}

const sameForms = (a: Atom, b: Atom) => a.map === b.map && a.list === b.list && a.scalar === b.scalar;

/** True when the two values were compared as wholes. */
function compareForm(atom: Atom, pair: Pair, place: Place): boolean {
  const form = formOf(atom);
  if (form.kind === "scalar") return compareWhole(pair, place);
  if (form.kind === "map") {
    const [olds, news] = pair.map((value) => (isObject(value) ? value : undefined));
    if (form.map.atomic || (isBare(olds) && isBare(news))) return compareWhole(pair, place);
    compareMaps(form.map, [olds, news], place);
    return false;
  }
  const [olds, news] = pair.map((value) => (Array.isArray(value) ? value : []));
  if (form.list.keys === undefined || (olds?.length === 0 && news?.length === 0)) return compareWhole(pair, place);
  compareLists(form.list, [olds ?? [], news ?? []], place);
  return false;
}

const isBare = (value: JsonObject | undefined) => value === undefined || Object.keys(value).length === 0;

function compareWhole([before, after]: Pair, place: Place): boolean {
  if (before === undefined) insert(place.added, place.path);
  else if (after === undefined) insert(place.removed, place.path);
  else if (!deepEqual(before, after)) insert(place.modified, place.path);
  return true;
}

function compareMaps(map: MapForm, [before, after]: [JsonObject | undefined, JsonObject | undefined], place: Place) {
  for (const key of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
    const field = map.field(key);
    if (field === undefined) continue;
    const always = field.named && field.type.schema["x-go-struct"] === true;
    const pair = [before, after].map((parent) => {
      const value = parent?.[key];
      // A struct is there, if empty, wherever its parent is.
      return value === undefined && always && parent !== undefined ? {} : value;
    });
    place.path.push(`f:${key}`);
    compareAt(field.type, [pair[0], pair[1]], place);
    place.path.pop();
  }
}

function compareLists(list: ListForm, [before, after]: readonly [JsonValue[], JsonValue[]], place: Place): void {
  const [olds, news] = [byEdge(list, before), byEdge(list, after)];
  for (const edge of new Set([...olds.keys(), ...news.keys()])) {
    place.path.push(edge);
    compareItems(list, [olds.get(edge) ?? [], news.get(edge) ?? []], place);
    place.path.pop();
  }
}

function compareItems(list: ListForm, [olds, news]: readonly [JsonValue[], JsonValue[]], place: Place): void {
  const one = (pair: Pair) => {
    if (pair[0] !== undefined || pair[1] !== undefined) compareAt(list.element, pair, place);
  };
  if (olds.length <= 1 && news.length <= 1) one([olds[0], news[0]]);
  else if (olds.length >= 2 && news.length >= 2) {
    if (!deepEqual(olds, news)) insert(place.modified, place.path);
  } else if (olds.length >= 2) {
    one([undefined, news[0]]);
    insert(place.removed, place.path);
  } else {
    one([olds[0], undefined]);
    insert(place.added, place.path);
  }
}

function byEdge(list: ListForm, items: readonly JsonValue[]): Map<string, JsonValue[]> {
  const found = new Map<string, JsonValue[]>();
  for (const item of items) {
    const edge = edgeOf(list, item);
    if (edge === undefined) continue;
    const same = found.get(edge);
    if (same === undefined) found.set(edge, [item]);
    else same.push(item);
  }
  return found;
}
