// Objects of a kind by something they carry: an owner, a node. Kept up with every change, so that nobody walks the world.
import type { KubeObject } from "#api/kubernetes/object";
import type { ObjectCache } from "./object-cache.ts";
import type { ObjectCaches } from "./object-caches.ts";
import { identityOf } from "./object-meta.ts";

export interface ObjectIndex<T> {
  /** The objects under the key, in the order in which they came there. */
  get(key: string): T[];
}

/** Make it before whoever reads it listens to the cache: listeners are told in their order. */
export function indexObjects<T extends KubeObject>(
  cache: ObjectCache<T>,
  keysOf: (object: T) => readonly string[],
): ObjectIndex<T> {
  const entries = new Map<string, Map<string, T>>();
  const remove = (object: T) => {
    for (const key of keysOf(object)) {
      const under = entries.get(key);
      under?.delete(identityOf(object).uid);
      if (under?.size === 0) entries.delete(key);
    }
  };
  cache.onChange(({ object, old, deleted }) => {
    if (deleted) {
      remove(old ?? object);
      return;
    }
    const keys = keysOf(object);
    if (old !== undefined && keysOf(old).some((key) => !keys.includes(key))) remove(old);
    for (const key of keys) {
      const under = entries.get(key) ?? new Map<string, T>();
      entries.set(key, under);
      under.set(identityOf(object).uid, object);
    }
  });
  return { get: (key) => [...(entries.get(key)?.values() ?? [])] };
}

export function createIndexes(caches: ObjectCaches) {
  const ownerUids = (object: KubeObject) =>
    (object.metadata?.ownerReferences ?? []).filter(({ controller }) => controller === true).map(({ uid }) => uid);
  return {
    /** By name of the node; "" holds those without one. */
    podsByNode: indexObjects(caches.pods, ({ spec }) => [spec?.nodeName ?? ""]),
    /** By uid of the managing owner. */
    podsByOwner: indexObjects(caches.pods, ownerUids),
    /** Pods that nobody manages, by namespace. */
    orphanPods: indexObjects(caches.pods, (pod) => (ownerUids(pod).length === 0 ? [identityOf(pod).namespace] : [])),
  };
}

export type ObjectIndexes = ReturnType<typeof createIndexes>;
