// All fields that a value sets.
import type { JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { formFor, type ListForm, type MapForm, type Type } from "./atoms.ts";
import { emptySet, type FieldSet, insert } from "./field-set.ts";
import { edgeOf } from "./list-items.ts";

export function fieldsOf(type: Type, value: JsonValue): FieldSet {
  const set = emptySet();
  collect(type, value, { set, path: [] });
  return set;
}

interface Place {
  readonly set: FieldSet;
  readonly path: string[];
}

function collect(type: Type, value: JsonValue, place: Place): void {
  const form = formFor(type, value);
  const whole =
    form.kind === "scalar" ||
    (form.kind === "map" && form.map.atomic) ||
    (form.kind === "list" && form.list.keys === undefined);
  if (whole) insert(place.set, place.path);
  else if (form.kind === "map" && isObject(value)) collectMap(form.map, value, place);
  else if (form.kind === "list" && Array.isArray(value)) collectList(form.list, value, place);
}

function collectMap(map: MapForm, value: Readonly<Record<string, JsonValue>>, { set, path }: Place): void {
  for (const [key, child] of Object.entries(value)) {
    const field = map.field(key);
    path.push(`f:${key}`);
    if (field !== undefined) collect(field.type, child, { set, path });
    const bare = child === null || (isObject(child) && Object.keys(child).length === 0);
    if (bare || field?.named !== true) insert(set, path);
    path.pop();
  }
}

function collectList(list: ListForm, items: readonly JsonValue[], { set, path }: Place): void {
  const edges = items.map((item) => edgeOf(list, item));
  for (const [index, edge] of edges.entries()) {
    if (edge === undefined) continue;
    path.push(edge);
    // Of items that stand twice nobody owns the parts.
    const twice = edges.indexOf(edge) !== edges.lastIndexOf(edge);
    const item = items[index];
    if (!twice && item !== undefined) collect(list.element, item, { set, path });
    insert(set, path);
    path.pop();
  }
}
