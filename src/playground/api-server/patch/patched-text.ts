// A patched object as Go shows it before it is read: what the patch did not touch stands in the order of Go's structs,
// the rest in the order of its names.
import type { JsonObject, JsonValue } from "../contract.ts";
import { fieldOrder } from "../gen/field-order.ts";
import { deepEqual, ensureObject, isObject } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { resolve, type Schema } from "../schema/schema.ts";
import { goMap, sortedJson } from "./patch-refusal.ts";
import { PATCH_TYPES } from "./patches.ts";

export interface Patched {
  readonly before: JsonObject;
  readonly patch: JsonValue;
  readonly after: JsonObject;
}

/** Of a patch that is merged by the kind's own rules the patch itself is shown. */
export function patchedText(kind: ResourceKind, type: string, { before, patch, after }: Patched): string {
  if (type === PATCH_TYPES.strategic) return goMap(patch);
  // Custom resources are maps in Go too.
  if (kind.definition === undefined)
    return customText(after, "", type === PATCH_TYPES.json ? putValues(patch) : NOTHING);
  const touched = type === PATCH_TYPES.json ? pointers(patch) : patch;
  const root: Node = { schema: kind.schema, name: kind.definition };
  return JSON.stringify(shown(root, { value: after, touched, before }));
}

const NOTHING: ReadonlyMap<string, JsonValue> = new Map();

/** What a JSON patch puts whole into a place, by the pointer to it: it is shown as it was sent. */
function putValues(patch: JsonValue): ReadonlyMap<string, JsonValue> {
  const operations = (Array.isArray(patch) ? patch : []).filter(isObject);
  return new Map(operations.map((operation) => [String(operation["path"] ?? ""), operation["value"] ?? null]));
}

function customText(value: JsonValue, pointer: string, put: ReadonlyMap<string, JsonValue>): string {
  const sent = put.get(pointer);
  if (sent !== undefined && deepEqual(sent, value)) return JSON.stringify(sent);
  if (!isObject(value)) return sortedJson(value);
  const fields = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${customText(value[key] ?? null, `${pointer}/${key}`, put)}`);
  return `{${fields.join(",")}}`;
}

/** A merge patch that touches what a JSON patch touches. */
function pointers(patch: JsonValue): JsonObject {
  const out: JsonObject = {};
  for (const operation of Array.isArray(patch) ? patch : []) {
    if (!isObject(operation)) continue;
    for (const pointer of [operation["path"], operation["from"]]) {
      const steps = String(pointer ?? "")
        .split("/")
        .slice(1);
      const last = steps.pop() ?? "";
      const parent = steps.reduce((at, step) => ensureObject(at, step), out);
      // What the patch says is written in the order of its names, as a whole.
      if (operation["value"] !== undefined && pointer === operation["path"]) parent[last] ??= true;
    }
  }
  return out;
}

interface Node {
  readonly schema: Schema | undefined;
  /** Full name of the definition, where the value is a struct. */
  readonly name: string | undefined;
}

interface Values {
  readonly value: JsonValue;
  readonly touched: JsonValue | undefined;
  readonly before: JsonValue | undefined;
}

function shown(node: Node, { value, touched, before }: Values): JsonValue {
  if (touched === undefined) return before === undefined ? sorted(value) : inOrder(node, value);
  if (Array.isArray(value) && isObject(touched) && Array.isArray(before))
    return shownItems(node, value, [touched, before]);
  if (!isObject(value) || !isObject(touched) || !isObject(before)) return sorted(value);
  const keys = Object.keys(value).sort();
  return Object.fromEntries(
    keys.map((key) => {
      const inside = { value: value[key] ?? null, touched: touched[key], before: before[key] };
      return [key, shown(childOf(node, key), inside)];
    }),
  );
}

/** Items that stood in the list before are written as they were, wherever they stand now. */
function shownItems(node: Node, items: readonly JsonValue[], [touched, before]: [JsonObject, JsonValue[]]): JsonValue {
  const item = nodeOf(resolve(node.schema)?.items);
  return items.map((value, index) => {
    const inside = touched[String(index)];
    if (inside !== undefined) return shown(item, { value, touched: inside, before: before[index] });
    return before.some((one) => deepEqual(one, value)) ? inOrder(item, value) : sorted(value);
  });
}

const sorted = (value: JsonValue): JsonValue => JSON.parse(sortedJson(value)) as JsonValue;

/** As Go writes a struct, and all that is in it. */
function inOrder(node: Node, value: JsonValue): JsonValue {
  if (Array.isArray(value)) {
    const item = nodeOf(resolve(node.schema)?.items);
    return value.map((one) => inOrder(item, one));
  }
  if (!isObject(value)) return value;
  const names = (fieldOrder[node.name ?? ""] ?? "").split(" ");
  const rank = (key: string) => (names.includes(key) ? names.indexOf(key) : names.length);
  const keys = Object.keys(value).sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return Object.fromEntries(keys.map((key) => [key, inOrder(childOf(node, key), value[key] ?? null)]));
}

function childOf(node: Node, key: string): Node {
  const schema = resolve(node.schema);
  const rest = typeof schema?.additionalProperties === "object" ? schema.additionalProperties : undefined;
  return nodeOf(schema?.properties?.[key] ?? rest);
}

const nodeOf = (schema: Schema | undefined): Node => ({
  schema,
  name: schema?.$ref?.slice(schema.$ref.lastIndexOf("/") + 1),
});
