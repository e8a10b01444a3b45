import type { JsonObject } from "../contract.ts";
import { stringAt } from "../json.ts";
import type { ObjectStore } from "./object-store.ts";

export interface PastScope {
  readonly key: string;
  /** Of all namespaces when undefined. */
  readonly namespace: string | undefined;
  readonly revision: number;
}

const nameOf = (object: JsonObject) =>
  `${stringAt(object, "metadata", "namespace")}/${stringAt(object, "metadata", "name")}`;

/**
 * The objects of a resource as they stood at `revision`, sorted by namespace and name: today's with later changes taken
 * back. Undefined when the past does not reach back that far.
 */
export function listAt(store: ObjectStore, { key, namespace, revision }: PastScope): JsonObject[] | undefined {
  const later = store.changesSince(key, revision);
  if (later === undefined) return undefined;
  const today = store.list(key, namespace);
  const then = new Map<string, JsonObject | undefined>();
  for (const { object, previous } of later) {
    if (namespace !== undefined && stringAt(object, "metadata", "namespace") !== namespace) continue;
    const name = nameOf(object);
    if (!then.has(name)) then.set(name, previous);
  }
  if (then.size === 0) return today;
  const unchanged = today.filter((object) => !then.has(nameOf(object)));
  const restored = [...then.values()].filter((object) => object !== undefined);
  return [...unchanged, ...restored].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
