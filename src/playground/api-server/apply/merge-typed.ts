// The two halves of server-side apply on values: laying a configuration over a live object, and taking away what the
// same manager applied before and no longer does.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import { fieldSchema, itemSchema, type Schema } from "../schema/schema.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import { itemEdge, partsOf, shapeOf } from "./typed-value.ts";

/** `config` wins field by field; lists merge by their type. Neither argument is changed. */
export function mergeTyped(schema: Schema | undefined, live: JsonValue | undefined, config: JsonValue): JsonValue {
  const shape = shapeOf(schema, config);
  if (live === undefined || shape === "leaf" || shapeOf(schema, live) !== shape) return config;
  if (isObject(live) && isObject(config)) {
    const out: JsonObject = { ...live };
    for (const [key, value] of Object.entries(config)) {
      if (value === null) delete out[key];
      else out[key] = mergeTyped(fieldSchema(schema, key), own(live, key), value);
    }
    return out;
  }
  if (Array.isArray(live) && Array.isArray(config)) return mergeLists(schema, live, config);
  return config;
}

const own = (object: JsonObject, key: string) => (Object.hasOwn(object, key) ? object[key] : undefined);

/** Items of the configuration keep its order; live items that it does not name stay where they stood before them. */
function mergeLists(schema: Schema | undefined, live: JsonValue[], config: JsonValue[]): JsonValue[] {
  const wanted = partsOf(schema, config);
  const current = partsOf(schema, live);
  const keyed = schema?.["x-kubernetes-list-type"] === "map";
  const merged = (edge: string, item: JsonValue) =>
    keyed ? mergeTyped(itemSchema(schema), current.get(edge), item) : item;
  const pending = [...wanted];
  const out: JsonValue[] = [];
  const takeUpTo = (edge: string) => {
    const at = pending.findIndex(([name]) => name === edge);
    for (const [name, item] of pending.splice(0, at + 1)) out.push(merged(name, item));
  };
  for (const item of live) {
    const edge = itemEdge(schema, item);
    if (wanted.has(edge)) takeUpTo(edge);
    else out.push(item);
  }
  for (const [name, item] of pending) out.push(merged(name, item));
  return out;
}

export interface Ownership {
  /** What the manager applied last time. */
  readonly last: FieldSet;
  /** What it applies now. */
  readonly now: FieldSet;
  /** What all other managers own. */
  readonly others: FieldSet;
}

/** Removes fields that only `last` holds. A field stays as long as another manager owns it or anything in it. */
export function prune(schema: Schema | undefined, value: JsonValue, owned: Ownership): JsonValue {
  const shape = shapeOf(schema, value);
  if (shape === "leaf" || owned.last.children.size === 0) return value;
  const below = (edge: string): Ownership | "gone" => {
    const last = owned.last.children.get(edge);
    const now = owned.now.children.get(edge);
    const others = owned.others.children.get(edge);
    if (last !== undefined && now === undefined && others === undefined) return "gone";
    return { last: last ?? emptySet(), now: now ?? emptySet(), others: others ?? emptySet() };
  };
  if (isObject(value)) {
    const out: JsonObject = {};
    for (const [key, child] of Object.entries(value)) {
      const fate = below(`f:${key}`);
      if (fate !== "gone") out[key] = prune(fieldSchema(schema, key), child, fate);
    }
    return out;
  }
  if (!Array.isArray(value)) return value;
  return value.flatMap((item) => {
    const fate = below(itemEdge(schema, item));
    return fate === "gone" ? [] : [prune(itemSchema(schema), item, fate)];
  });
}
