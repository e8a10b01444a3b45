// The patch types that are given as a change; apply patches, given as a wish, live in apply/.
import { badRequest } from "../api-errors.ts";
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { applyJsonPatch, PatchFault } from "./json-patch.ts";
import { strategicMerge } from "./strategic-merge.ts";

export const PATCH_TYPES = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
  apply: "application/apply-patch+yaml",
} as const;

/** RFC 7386, but that nulls go from the objects of a list too. */
export function mergePatch(live: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (Array.isArray(patch)) return isObject(live) ? patch : withoutNulls(patch);
  if (!isObject(patch)) return patch;
  const out: JsonObject = isObject(live) ? { ...live } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key];
    else out[key] = mergePatch(out[key], value);
  }
  return out;
}

function withoutNulls(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, child]) => child !== null);
  return Object.fromEntries(kept.map(([key, child]) => [key, withoutNulls(child)]));
}

function jsonPatched(live: JsonObject, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch)) throw badRequest("a JSON patch must be a list of operations");
  try {
    return applyJsonPatch(live, patch);
  } catch (thrown) {
    if (!(thrown instanceof PatchFault)) throw thrown;
    throw new ApiStatusError(422, "Invalid", "the server rejected our request due to an error in our request", {});
  }
}

/** The object after the patch; `live` is not changed. Throws 400, 415 or 422. */
export function applyPatch(kind: ResourceKind, type: string, live: JsonObject, patch: JsonValue): JsonObject {
  const result = patched(kind, type, live, patch);
  if (!isObject(result)) throw badRequest("the patch leaves something that is no object");
  return result;
}

function patched(kind: ResourceKind, type: string, live: JsonObject, patch: JsonValue): JsonValue {
  if (type === PATCH_TYPES.json) return jsonPatched(live, patch);
  if (!isObject(patch)) throw badRequest("the patch must be an object");
  return type === PATCH_TYPES.merge ? mergePatch(live, patch) : strategicMerge(kind.schema, live, patch);
}

/** Throws 415 for a type of patch that objects of the kind do not take. */
export function checkPatchType(kind: ResourceKind, type: string): void {
  const accepted = Object.values(PATCH_TYPES).filter(
    (name) => kind.custom === undefined || name !== PATCH_TYPES.strategic,
  );
  if (accepted.some((name) => name === type)) return;
  const why = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`;
  throw new ApiStatusError(415, "UnsupportedMediaType", why);
}
