// Objects that the server keeps otherwise than it shows them: what it fills in when it reads them is not kept before
// somebody writes them again. The first write of such an object is one, even when it changes nothing.
import type { JsonObject } from "../contract.ts";
import { stringAt } from "../json.ts";
import type { ObjectStore } from "../store/object-store.ts";

/** By resource: the uids of objects that nobody wrote since they were made. */
const unsettled = new WeakMap<ObjectStore, Map<string, Set<string>>>();
const uidOf = (object: JsonObject) => stringAt(object, "metadata", "uid");

export function markUnsettled(store: ObjectStore, key: string, object: JsonObject): void {
  const byKey = unsettled.get(store) ?? new Map<string, Set<string>>();
  unsettled.set(store, byKey);
  const uids = byKey.get(key) ?? new Set<string>();
  if (!byKey.has(key)) {
    byKey.set(key, uids);
    store.subscribe((change) => {
      if (uids.size > 0 && change.type !== "ADDED") uids.delete(uidOf(change.object));
    }, key);
  }
  uids.add(uidOf(object));
}

export const isUnsettled = (store: ObjectStore, key: string, object: JsonObject): boolean =>
  unsettled.get(store)?.get(key)?.has(uidOf(object)) === true;
