import type { ObjectStore } from "./object-store.ts";
import type { StoredObject } from "./stored-object.ts";

export interface PastScope {
  readonly key: string;
  /** Of all namespaces when undefined. */
  readonly namespace: string | undefined;
  readonly revision: number;
}

/**
 * The objects of a resource as they stood at `revision`, sorted by namespace and name: today's with later changes taken
 * back. Undefined when the past does not reach back that far.
 */
export function listAt(store: ObjectStore, { key, namespace, revision }: PastScope): StoredObject[] | undefined {
  const later = store.changesSince(key, revision);
  if (later === undefined) return undefined;
  const today = store.stored(key, namespace);
  const then = new Map<string, StoredObject | undefined>();
  for (const { stored, before } of later) {
    if (namespace !== undefined && stored.namespace !== namespace) continue;
    if (!then.has(stored.path)) then.set(stored.path, before);
  }
  if (then.size === 0) return today;
  const unchanged = today.filter(({ path }) => !then.has(path));
  const restored = [...then.values()].filter((object) => object !== undefined);
  return [...unchanged, ...restored].sort((a, b) => (a.path < b.path ? -1 : 1));
}
