// The patch an admission webhook answers with. Lists are compared by place and never reordered cleverly: the patch has
// to be right and small, not minimal.
import { isRawObject } from "./raw-object.ts";

/** One operation of RFC 6902; paths are JSON pointers. */
export type JsonPatchOperation =
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** Operations that turn `before` into `after`, in an order in which they can be applied. Undefined fields are absent. */
export function diffJson(before: unknown, after: unknown, path = ""): JsonPatchOperation[] {
  if (Object.is(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after)) return diffLists(before, after, path);
  if (isRawObject(before) && isRawObject(after)) return diffObjects(before, after, path);
  return [{ op: "replace", path, value: after }];
}

function diffObjects(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  path: string,
): JsonPatchOperation[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => {
    const at = `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const [old, value] = [own(before, key), own(after, key)];
    if (value === undefined) return old === undefined ? [] : [{ op: "remove" as const, path: at }];
    if (old === undefined) return [{ op: "add" as const, path: at, value }];
    return diffJson(old, value, at);
  });
}

/** A label may be called `toString`: what every object inherits does not count. */
function own(object: Readonly<Record<string, unknown>>, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function diffLists(before: readonly unknown[], after: readonly unknown[], path: string): JsonPatchOperation[] {
  const shared = Math.min(before.length, after.length);
  const changed = before.slice(0, shared).flatMap((item, at) => diffJson(item, after[at], `${path}/${at}`));
  const added = after.slice(shared).map((value) => ({ op: "add" as const, path: `${path}/-`, value }));
  const removed = before
    .map((_, at) => at)
    .slice(shared)
    .reverse()
    .map((at) => ({ op: "remove" as const, path: `${path}/${at}` }));
  return [...changed, ...added, ...removed];
}
