// The two halves of server-side apply on values: laying a configuration over a live object, and taking fields away.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { atomFor, atomOf, formFor, formOf, type ListForm, type MapForm, type Type } from "./atoms.ts";
import { emptySet, type FieldSet, isEmpty } from "./field-set.ts";
import { edgeOf } from "./list-items.ts";

type Value = JsonValue | undefined;

/** `config` wins field by field; lists merge by their type. Neither argument is changed. */
export function mergeTyped(type: Type, live: Value, config: Value): Value {
  const atom = atomOf(type);
  const form = formOf(config === undefined ? atomFor(atom, live) : atomFor(atom, config));
  const whole = config === undefined ? live : config;
  if (form.kind === "scalar") return whole;
  if (form.kind === "map") {
    const [own, next] = [isObject(live) ? live : {}, isObject(config) ? config : {}];
    const bare = Object.keys(own).length === 0 && Object.keys(next).length === 0;
    return form.map.atomic || bare ? whole : mergeMaps(form.map, own, next);
  }
  const [own, next] = [Array.isArray(live) ? live : [], Array.isArray(config) ? config : []];
  const bare = own.length === 0 && next.length === 0;
  return form.list.keys === undefined || bare ? whole : mergeLists(form.list, own, next);
}

function mergeMaps(map: MapForm, live: JsonObject, config: JsonObject): JsonObject | undefined {
  const out: JsonObject = {};
  for (const key of new Set([...Object.keys(live), ...Object.keys(config)])) {
    const field = map.field(key);
    const merged = field === undefined ? live[key] : mergeTyped(field.type, live[key], config[key]);
    if (merged !== undefined) out[key] = merged;
  }
  return Object.keys(out).length === 0 ? undefined : out;
}

interface Indexed {
  readonly edges: readonly (string | undefined)[];
  /** null where several items have the same name. */
  readonly items: ReadonlyMap<string, JsonValue>;
}

function index(list: ListForm, values: readonly JsonValue[]): Indexed {
  const edges = values.map((item) => edgeOf(list, item));
  const items = new Map<string, JsonValue>();
  for (const [at, edge] of edges.entries()) {
    if (edge !== undefined) items.set(edge, items.has(edge) ? null : (values[at] ?? null));
  }
  return { edges, items };
}

/** Items of the configuration keep its order; live items that it does not name stay where they stood between them. */
function mergeLists(list: ListForm, live: readonly JsonValue[], config: readonly JsonValue[]): JsonValue[] | undefined {
  const [own, next] = [index(list, live), index(list, config)];
  const shared = next.edges.filter((edge) => edge !== undefined && own.items.has(edge));
  const out: JsonValue[] = [];
  const take = (ours: Value, theirs: Value) => {
    const value = ours === undefined && theirs === undefined ? undefined : mergeTyped(list.element, ours, theirs);
    if (value !== undefined) out.push(value);
  };
  let at = 0;
  /** Live items up to the next one that the configuration names and whose turn it is. */
  const takeOwn = (theirs: string | undefined) => {
    for (; at < own.edges.length; at++) {
      const edge = own.edges[at];
      const named = edge !== undefined && next.items.has(edge);
      if (named && (edge === theirs || shared[0] === edge)) return;
      if (named && shared[0] === undefined) return void at++;
      if (!named) take(live[at], undefined);
    }
  };
  for (const edge of next.edges) {
    takeOwn(edge);
    if (own.edges[at] === edge) at++;
    if (shared[0] === edge) shared.shift();
    if (edge !== undefined) take(own.items.get(edge), next.items.get(edge));
  }
  for (; at < own.edges.length; at++) {
    const edge = own.edges[at];
    if (edge === undefined || !next.items.has(edge)) take(live[at], undefined);
  }
  return out.length === 0 ? undefined : out;
}

/** The value without the members of a set. What becomes empty becomes null. */
export function removeItems(type: Type, value: JsonValue, gone: FieldSet): JsonValue {
  const form = formFor(type, value);
  if (form.kind === "scalar") return value;
  if (form.kind === "map") return isObject(value) && !form.map.atomic ? removeFields(form.map, value, gone) : null;
  return Array.isArray(value) && form.list.keys !== undefined ? removeFromList(form.list, value, gone) : null;
}

function removeFields(map: MapForm, value: JsonObject, gone: FieldSet): JsonValue {
  const out: JsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    const below = gone.children.get(`f:${key}`) ?? emptySet();
    if (below.member) continue;
    const field = map.field(key);
    out[key] = field === undefined || isEmpty(below) ? child : removeItems(field.type, child, below);
  }
  return Object.keys(out).length === 0 ? null : out;
}

function removeFromList(list: ListForm, items: readonly JsonValue[], gone: FieldSet): JsonValue {
  const out = items.flatMap((item) => {
    const below = gone.children.get(edgeOf(list, item) ?? "") ?? emptySet();
    if (below.member) return [];
    return [isEmpty(below) ? item : removeItems(list.element, item, below)];
  });
  return out.length === 0 ? null : out;
}
