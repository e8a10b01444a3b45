// What a patch leaves must be an object of its kind. When it is not, Kubernetes blames the patch, not the object.

import { invalid } from "../api-errors.ts";
import { ApiStatusError, type JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";

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

/** The refusal of a patched object as that of its patch; any other error as it is. `shown`: what was decoded, as text. */
export function patchRefusal(thrown: unknown, shown: () => string): unknown {
  if (!(thrown instanceof ApiStatusError) || thrown.code !== 400 || !DECODING.test(thrown.message)) return thrown;
  const detail = thrown.message.replace(DECODING, "");
  return invalid({ group: "", kind: "" }, "", [{ field: "patch", type: "FieldValueInvalid", value: shown(), detail }]);
}
