// Strategic merge patch: a merge patch that knows from the schema which lists merge by a key, with the directives
// $patch, $retainKeys, $setElementOrder/<list> and $deleteFromPrimitiveList/<list>.
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { deepEqual, isObject } from "../json.ts";
import { fieldSchema, isRawObject, itemSchema, type Schema } from "../schema/schema.ts";
import { goMap } from "./patch-refusal.ts";

const DIRECTIVE = /^\$(setElementOrder|deleteFromPrimitiveList)\/(.*)$/;

/** Returns a new object; neither argument is changed. Throws 400 for a patch that misuses a directive. */
export function strategicMerge(schema: Schema | undefined, live: JsonObject, patch: JsonObject): JsonObject {
  if (patch["$patch"] === "replace") return withoutDirectives(patch);
  if (patch["$patch"] === "delete") return {};
  const out: JsonObject = { ...live };
  retainKeys(out, patch["$retainKeys"]);
  for (const [key, value] of Object.entries(patch)) {
    const directive = DIRECTIVE.exec(key);
    if (directive !== null) applyDirective(out, schema, { name: directive[1] ?? "", field: directive[2] ?? "", patch });
    else if (!key.startsWith("$")) mergeField(out, schema, { key, value, order: patch[`$setElementOrder/${key}`] });
  }
  return out;
}

function retainKeys(out: JsonObject, keys: JsonValue | undefined): void {
  if (!Array.isArray(keys)) return;
  for (const key of Object.keys(out)) if (!keys.includes(key)) delete out[key];
}

interface FieldPatch {
  readonly key: string;
  readonly value: JsonValue;
  readonly order: JsonValue | undefined;
}

function mergeField(out: JsonObject, schema: Schema | undefined, { key, value, order }: FieldPatch): void {
  const child = fieldSchema(schema, key);
  const live = Object.hasOwn(out, key) ? out[key] : undefined;
  if (isRawObject(child) && isObject(value)) refuseInside(value, live);
  if (value === null) delete out[key];
  else if (isObject(value)) {
    if (value["$patch"] === "delete") delete out[key];
    else if (replaces(child)) out[key] = withoutDirectives(value);
    else out[key] = strategicMerge(child, isObject(live) ? live : {}, value);
  } else if (Array.isArray(value))
    out[key] = Array.isArray(live) ? mergeList(child, live, { value, order }) : taken(value);
  else out[key] = value;
}

/** A list that was not there is taken as it is, even with two items of one key: without nulls and directives. */
function taken(list: readonly JsonValue[]): JsonValue[] {
  return list.filter((item) => !isObject(item) || item["$patch"] === undefined).map(takenValue);
}

function takenValue(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return taken(value);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([, child]) => child !== null && (!isObject(child) || child["$patch"] === undefined),
  );
  return Object.fromEntries(kept.map(([key, child]) => [key, takenValue(child)]));
}

/** What is inside an object of any form has no description that tells how to merge it. */
function refuseInside(patch: JsonObject, live: JsonValue | undefined): void {
  const inner = isObject(live) ? live : {};
  const collection = (value: JsonValue | undefined) => (Array.isArray(value) ? "list" : isObject(value) ? "map" : "");
  for (const [key, value] of Object.entries(patch)) {
    if (collection(value) === "" || collection(value) !== collection(inner[key])) continue;
    const why = `unable to find api field in struct RawExtension for the json field ${JSON.stringify(key)}`;
    throw new ApiStatusError(500, "", why);
  }
}

/** Some structs are taken as a whole. */
const replaces = (schema: Schema | undefined) => schema?.["x-kubernetes-patch-strategy"] === "replace";

const merges = (schema: Schema | undefined) =>
  (schema?.["x-kubernetes-patch-strategy"] ?? "").split(",").includes("merge");

function mergeList(
  schema: Schema | undefined,
  live: JsonValue[],
  patch: { readonly value: JsonValue[]; readonly order: JsonValue | undefined },
): JsonValue[] {
  if (!merges(schema)) return patch.value.filter((item) => !isObject(item) || item["$patch"] === undefined);
  const key = schema?.["x-kubernetes-patch-merge-key"];
  const order = Array.isArray(patch.order) ? patch.order : undefined;
  if (key === undefined) {
    const added = patch.value.filter((item) => !live.some((own) => deepEqual(own, item)));
    return inOrder([...live, ...added], { order: order ?? patch.value, live }, (item) => item);
  }
  if (patch.value.some((item) => isObject(item) && item["$patch"] === "replace")) {
    return patch.value.filter((item) => !isObject(item) || item["$patch"] === undefined);
  }
  const merged = mergeByKey(schema, key, [live, patch.value]);
  return inOrder(merged, { order: order ?? patch.value, live }, (item) => (isObject(item) ? item[key] : item));
}

function mergeByKey(schema: Schema | undefined, key: string, [live, patch]: [JsonValue[], JsonValue[]]): JsonValue[] {
  const out = [...live];
  for (const item of patch) {
    if (!isObject(item)) {
      const lists = goMap([live, patch]);
      throw new ApiStatusError(500, "", `list element types are not identical: ${lists}`);
    }
    const name = item[key];
    if (name === undefined || name === null) {
      throw new ApiStatusError(500, "", `map: ${goMap(item)} does not contain declared merge key: ${key}`);
    }
    const at = out.findIndex((own) => isObject(own) && deepEqual(own[key], name));
    const own = out[at];
    if (item["$patch"] === "delete") {
      if (at >= 0) out.splice(at, 1);
    } else if (isObject(own)) out[at] = strategicMerge(itemSchema(schema), own, item);
    else out.push(strategicMerge(itemSchema(schema), {}, item));
  }
  return out;
}

/**
 * Items that the patch names stand in its order (`order`, the list of $setElementOrder, else the patch itself). Each of
 * the others, in the order of the live list, stands before the first of them that it stood before in the live list.
 */
function inOrder(
  items: JsonValue[],
  { order, live }: { readonly order: readonly JsonValue[]; readonly live: readonly JsonValue[] },
  nameOf: (item: JsonValue) => JsonValue | undefined,
): JsonValue[] {
  const rankIn = (list: readonly JsonValue[], item: JsonValue) =>
    list.findIndex((entry) => deepEqual(nameOf(entry), nameOf(item)));
  const named = items.filter((item) => rankIn(order, item) >= 0);
  named.sort((a, b) => rankIn(order, a) - rankIn(order, b));
  const others = items.filter((item) => rankIn(order, item) < 0);
  const standsBefore = (other: JsonValue, item: JsonValue) => {
    const [own, next] = [rankIn(live, other), rankIn(live, item)];
    return own >= 0 && next >= 0 && own < next;
  };
  const out: JsonValue[] = [];
  for (const item of named) {
    while (others[0] !== undefined && standsBefore(others[0], item)) out.push(...others.splice(0, 1));
    out.push(item);
  }
  return [...out, ...others];
}

function applyDirective(
  out: JsonObject,
  schema: Schema | undefined,
  { name, field, patch }: { readonly name: string; readonly field: string; readonly patch: JsonObject },
): void {
  const live = out[field];
  const value = patch[`$${name}/${field}`];
  if (!Array.isArray(live) || !Array.isArray(value)) return;
  if (name === "deleteFromPrimitiveList")
    out[field] = live.filter((item) => !value.some((gone) => deepEqual(gone, item)));
  else if (patch[field] === undefined)
    out[field] = mergeList(fieldSchema(schema, field), live, { value: [], order: value });
}

function withoutDirectives(patch: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith("$")));
}
