// RFC 6902 as Kubernetes' own library has it, which forgives more than the RFC: `replace` makes a missing field, `copy`
// of a missing one leaves null, `test` takes a missing one for null.
import type { JsonObject, JsonValue } from "../contract.ts";
import { clone, deepEqual, isObject } from "../json.ts";

/** An operation does not apply, or is none. */
export class PatchFault extends Error {}

type Container = JsonObject | JsonValue[];

interface Place {
  readonly parent: Container;
  readonly key: string;
}

interface Draft {
  root: JsonValue;
}

type Operation = (draft: Draft, operation: JsonObject) => void;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: (draft, operation) => add(placeOf(draft, pathOf(operation, "path")), givenValue(operation)),
  remove: (draft, operation) => remove(placeOf(draft, pathOf(operation, "path"))),
  replace,
  move(draft, operation) {
    const from = placeOf(draft, pathOf(operation, "from"));
    const value = get(from);
    remove(from);
    add(placeOf(draft, pathOf(operation, "path")), value ?? null);
  },
  copy(draft, operation) {
    const value = get(placeOf(draft, pathOf(operation, "from")));
    add(placeOf(draft, pathOf(operation, "path")), clone(value ?? null));
  },
  test(draft, operation) {
    const path = pathOf(operation, "path");
    const found = path === "" ? draft.root : get(placeOf(draft, path));
    if (!deepEqual(found ?? null, givenValue(operation))) throw new PatchFault(`testing value ${path} failed`);
  },
};

/** The document after the operations; `document` is not changed. Throws PatchFault. */
export function applyJsonPatch(document: JsonObject, operations: readonly JsonValue[]): JsonValue {
  const draft: Draft = { root: clone(document) };
  for (const operation of operations) {
    const run = isObject(operation) ? OPERATIONS[String(operation["op"])] : undefined;
    if (run === undefined || !isObject(operation)) throw new PatchFault("unexpected kind of operation");
    run(draft, operation);
  }
  return draft.root;
}

function replace(draft: Draft, operation: JsonObject): void {
  const path = pathOf(operation, "path");
  const value = givenValue(operation);
  if (path === "") {
    if (typeof value !== "object" || value === null) throw new PatchFault("the whole must be an object or a list");
    draft.root = value;
    return;
  }
  const place = placeOf(draft, path);
  get(place);
  set(place, value);
}

function pathOf(operation: JsonObject, field: "path" | "from"): string {
  const path = operation[field];
  if (typeof path !== "string") throw new PatchFault(`the operation has no ${field}`);
  return path;
}

const givenValue = (operation: JsonObject): JsonValue => clone(operation["value"] ?? null);

const unescaped = (step: string) => step.replaceAll("~1", "/").replaceAll("~0", "~");

/** Where a path ends; throws when something on the way is missing. */
function placeOf(draft: Draft, path: string): Place {
  const steps = path.split("/");
  // Of the empty path only `replace` and `test` know what to do.
  if (steps.length < 2) throw new PatchFault(`the document is missing the path ${JSON.stringify(path)}`);
  const parent = steps.slice(1, -1).reduce<JsonValue | undefined>((at, step) => inner(at, unescaped(step)), draft.root);
  if (typeof parent !== "object" || parent === null)
    throw new PatchFault(`the document is missing the path ${JSON.stringify(path)}`);
  return { parent, key: unescaped(steps.at(-1) ?? "") };
}

function inner(at: JsonValue | undefined, step: string): JsonValue | undefined {
  if (Array.isArray(at)) return /^[+-]?\d+$/.test(step) ? at.at(Number(step)) : undefined;
  return isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
}

/** An index of a list that has an element there; from the end when it is negative. */
function indexOf(key: string, length: number): number {
  const index = /^[+-]?\d+$/.test(key) ? Number(key) : Number.NaN;
  if (Number.isNaN(index) || index >= length || index < -length) throw new PatchFault(`no such index: ${key}`);
  return index < 0 ? index + length : index;
}

function get({ parent, key }: Place): JsonValue | undefined {
  if (Array.isArray(parent)) return parent[indexOf(key, parent.length)];
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function set({ parent, key }: Place, value: JsonValue): void {
  if (Array.isArray(parent)) parent[indexOf(key, parent.length)] = value;
  else parent[key] = value;
}

function add({ parent, key }: Place, value: JsonValue): void {
  if (!Array.isArray(parent)) parent[key] = value;
  else if (key === "-") parent.push(value);
  else parent.splice(indexOf(key, parent.length + 1), 0, value);
}

function remove({ parent, key }: Place): void {
  if (Array.isArray(parent)) parent.splice(indexOf(key, parent.length), 1);
  else if (Object.hasOwn(parent, key)) delete parent[key];
  else throw new PatchFault(`there is no ${key} to remove`);
}
