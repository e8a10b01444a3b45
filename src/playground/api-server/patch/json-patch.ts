// RFC 6902 as Kubernetes' own library has it, which forgives more than the RFC: `replace` makes a missing field, `copy`
// of a missing one leaves null, `test` takes a missing one for null. Errors are in that library's words.
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

const MISSING = "missing value";
const NO_PATH = `operation missing path field: ${MISSING}`;

type Operation = (draft: Draft, operation: JsonObject) => void;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add(draft, operation) {
    const path = textOf(operation, "path", `add operation failed to decode path: ${MISSING}`);
    const place = placeOf(draft, path, `add operation does not apply: doc is missing path: "${path}"`);
    telling(`error in add for path: '${path}'`, () => add(place, givenValue(operation)));
  },
  remove(draft, operation) {
    const path = textOf(operation, "path", `remove operation failed to decode path: ${MISSING}`);
    const place = placeOf(draft, path, `remove operation does not apply: doc is missing path: "${path}"`);
    telling(`error in remove for path: '${path}'`, () => remove(place));
  },
  replace,
  move(draft, operation) {
    const from = textOf(operation, "from", `move operation failed to decode from: ${noFrom}`);
    const source = placeOf(draft, from, `move operation does not apply: doc is missing from path: ${from}`);
    const value = telling(`error in move for path: '${source.key}'`, () => get(source));
    telling(`error in move for path: '${source.key}'`, () => remove(source));
    const path = textOf(operation, "path", `move operation failed to decode path: ${NO_PATH}`);
    const place = placeOf(draft, path, `move operation does not apply: doc is missing destination path: ${path}`);
    telling(`error in move for path: '${path}'`, () => add(place, value ?? null));
  },
  copy(draft, operation) {
    const from = textOf(operation, "from", `copy operation failed to decode from: ${noFrom}`);
    const source = placeOf(draft, from, `copy operation does not apply: doc is missing from path: ${from}`);
    const value = telling(`error in copy for from: '${from}'`, () => get(source));
    const path = textOf(operation, "path", `copy operation failed to decode path: ${MISSING}`);
    const place = placeOf(draft, path, `copy operation does not apply: doc is missing destination path: ${path}`);
    telling("error while adding value during copy", () => add(place, clone(value ?? null)));
  },
  test(draft, operation) {
    const path = textOf(operation, "path", `test operation failed to decode path: ${NO_PATH}`);
    const lookUp = () => get(placeOf(draft, path, `test operation does not apply: is missing path: ${path}`));
    const found = path === "" ? draft.root : telling(`error in test for path: '${path}'`, lookUp);
    if (!deepEqual(found ?? null, givenValue(operation)))
      throw new PatchFault(`testing value ${path} failed: test failed`);
  },
};

const noFrom = `operation, missing from field: ${MISSING}`;

/** The document after the operations; `document` is not changed. Throws PatchFault. */
export function applyJsonPatch(document: JsonObject, operations: readonly JsonValue[]): JsonValue {
  const draft: Draft = { root: clone(document) };
  for (const operation of operations) {
    const op = isObject(operation) ? operation["op"] : undefined;
    const run = typeof op === "string" && Object.hasOwn(OPERATIONS, op) ? OPERATIONS[op] : undefined;
    if (run === undefined || !isObject(operation)) {
      throw new PatchFault(`Unexpected kind: ${typeof op === "string" ? op : "unknown"}`);
    }
    run(draft, operation);
  }
  return draft.root;
}

function replace(draft: Draft, operation: JsonObject): void {
  const path = textOf(operation, "path", `replace operation failed to decode path: ${NO_PATH}`);
  const value = givenValue(operation);
  if (path === "") {
    if (typeof value !== "object" || value === null)
      throw new PatchFault("replace operation value must be object or array: %!w(<nil>)");
    draft.root = value;
    return;
  }
  const { parent, key } = placeOf(draft, path, `replace operation does not apply: doc is missing path: ${path}`);
  if (!Array.isArray(parent)) {
    parent[key] = value;
    return;
  }
  const index = indexOf(key, parent.length);
  if (typeof index === "string")
    throw new PatchFault(`replace operation does not apply: doc is missing key: ${path}: ${MISSING}`);
  parent[index] = value;
}

function textOf(operation: JsonObject, field: "path" | "from", fault: string): string {
  const text = operation[field];
  if (typeof text !== "string") throw new PatchFault(fault);
  return text;
}

const givenValue = (operation: JsonObject): JsonValue => clone(operation["value"] ?? null);

const unescaped = (step: string) => step.replaceAll("~1", "/").replaceAll("~0", "~");

/** Where a path ends; throws when something on the way is missing. */
function placeOf(draft: Draft, path: string, fault: string): Place {
  const steps = path.split("/");
  const parent = steps.slice(1, -1).reduce<JsonValue | undefined>((at, step) => inner(at, unescaped(step)), draft.root);
  // Of the empty path only `replace` and `test` know what to do.
  if (steps.length < 2 || typeof parent !== "object" || parent === null) throw new PatchFault(`${fault}: ${MISSING}`);
  return { parent, key: unescaped(steps.at(-1) ?? "") };
}

function inner(at: JsonValue | undefined, step: string): JsonValue | undefined {
  if (Array.isArray(at)) return NUMBER.test(step) ? at.at(Number(step)) : undefined;
  return isObject(at) && Object.hasOwn(at, step) ? at[step] : undefined;
}

/** What goes wrong inside one step of an operation. */
class StepFault extends Error {}

function telling<T>(where: string, step: () => T): T {
  try {
    return step();
  } catch (thrown) {
    throw thrown instanceof StepFault ? new PatchFault(`${where}: ${thrown.message}`) : thrown;
  }
}

const NUMBER = /^[+-]?\d+$/;

/** An index of a list that has `length` places, from the end when it is negative; or why it is none. */
function indexOf(key: string, length: number): number | string {
  if (!NUMBER.test(key)) return `strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`;
  const index = Number(key);
  if (index >= length || index < -length) {
    return `Unable to access invalid index: ${index}: invalid index referenced`;
  }
  return index < 0 ? index + length : index;
}

function checkedIndex(key: string, length: number): number {
  const index = indexOf(key, length);
  if (typeof index === "string") throw new StepFault(index);
  return index;
}

function get({ parent, key }: Place): JsonValue | undefined {
  if (Array.isArray(parent)) return parent[checkedIndex(key, parent.length)];
  return Object.hasOwn(parent, key) ? parent[key] : undefined;
}

function add({ parent, key }: Place, value: JsonValue): void {
  if (!Array.isArray(parent)) parent[key] = value;
  else if (key === "-") parent.push(value);
  else if (NUMBER.test(key)) parent.splice(checkedIndex(key, parent.length + 1), 0, value);
  else throw new StepFault(`value was not a proper array index: '${key}': ${indexOf(key, 0)}`);
}

function remove({ parent, key }: Place): void {
  if (Array.isArray(parent)) parent.splice(checkedIndex(key, parent.length), 1);
  else if (Object.hasOwn(parent, key)) delete parent[key];
  else throw new StepFault(`Unable to remove nonexistent key: ${key}: ${MISSING}`);
}
