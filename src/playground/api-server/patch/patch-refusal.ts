// What a patch leaves must be an object of its kind. When it is not, Kubernetes blames the patch, not the object.

import { invalid } from "../api-errors.ts";
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { ensureObject, isObject } from "../json.ts";
import { PATCH_TYPES } from "./patches.ts";

/** JSON with the fields of every object in order, as Go writes maps. */
export function sortedJson(value: JsonValue): string {
  return JSON.stringify(value, (_, inner: JsonValue) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );
}

/** A value as Go's `%+v` prints a map. */
export function goMap(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(goMap).join(" ")}]`;
  if (!isObject(value)) return value === null ? "<nil>" : String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, inner]) => `${key}:${goMap(inner)}`).join(" ")}]`;
}

const DECODING = /^.* in version "[^"]*" cannot be handled as a \w+: /;

/** The refusal of a patched object as that of its patch; any other error as it is. `shown` is what was decoded, as text. */
export function patchRefusal(thrown: unknown, shown: string): unknown {
  if (!(thrown instanceof ApiStatusError) || thrown.code !== 400 || !DECODING.test(thrown.message)) return thrown;
  const detail = thrown.message.replace(DECODING, "");
  return invalid({ group: "", kind: "" }, "", [{ field: "patch", type: "FieldValueInvalid", value: shown, detail }]);
}

/** Type of a patch that is merged by the kind's own rules: of it the patch is shown, of others what they made. */
export function shownPatch(strategic: boolean, patch: JsonValue, result: JsonObject): string {
  return strategic ? goMap(patch) : sortedJson(result);
}

interface Patched {
  readonly before: JsonObject;
  readonly patch: JsonValue;
  readonly after: JsonObject;
}

/** An object after a patch as Go shows it: what the patch did not touch stands as it did, the rest is sorted. */
export function patchedText(type: string, { before, patch, after }: Patched): string {
  if (type === PATCH_TYPES.strategic) return goMap(patch);
  const touched = type === PATCH_TYPES.json ? pointers(patch) : isObject(patch) ? patch : {};
  return JSON.stringify(partlySorted(after, touched, before));
}

/** A merge patch that touches what a JSON patch touches. */
function pointers(patch: JsonValue): JsonObject {
  const out: JsonObject = {};
  for (const operation of Array.isArray(patch) ? patch : []) {
    if (!isObject(operation)) continue;
    const steps = String(operation["path"] ?? "")
      .split("/")
      .slice(1, -1);
    steps.reduce((at, step) => ensureObject(at, step), out);
  }
  return out;
}

function partlySorted(
  value: JsonValue | undefined,
  touched: JsonValue | undefined,
  before: JsonValue | undefined,
): JsonValue {
  if (value === undefined) return null;
  if (!isObject(value)) return value;
  if (touched === undefined || !isObject(touched))
    return before === undefined || touched !== undefined ? sorted(value) : value;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(
    keys.map((key) => [key, partlySorted(value[key], touched[key], isObject(before) ? before[key] : undefined)]),
  );
}

const sorted = (value: JsonObject): JsonObject => JSON.parse(sortedJson(value)) as JsonObject;
