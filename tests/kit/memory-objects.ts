// The API server's ObjectAccess over a plain map, for tests of its plug-ins.
import {
  ApiStatusError,
  type JsonObject,
  type ObjectAccess,
  type ObjectPath,
} from "../../src/playground/api-server/contract.ts";

type Listener = Parameters<ObjectAccess["subscribe"]>[0];

export interface MemoryObjects extends ObjectAccess {
  /** Adds or replaces an object and tells the subscribers. `uid` is made from kind and name when absent. */
  put(group: string, resource: string, object: JsonObject): JsonObject;
  remove(group: string, resource: string, namespace: string, name: string): void;
}

export function memoryObjects(): MemoryObjects {
  const stored = new Map<string, JsonObject>();
  const listeners = new Set<Listener>();
  const keyOf = (at: ObjectPath) => [at.group, at.resource, at.namespace, at.name].join("|");
  const tell: Listener = (change) => {
    for (const listener of listeners) listener(change);
  };
  const remove = (at: ObjectPath) => {
    const object = stored.get(keyOf(at));
    if (object === undefined) throw new ApiStatusError(404, "NotFound", `${at.resource} "${at.name}" not found`);
    stored.delete(keyOf(at));
    tell({ group: at.group, resource: at.resource, type: "DELETED", object });
    return object;
  };
  const put = (group: string, resource: string, object: JsonObject) => {
    const metadata = (object["metadata"] ?? {}) as { name: string; namespace?: string; uid?: string };
    const { name, namespace = "", uid = `uid-${resource}-${name}` } = metadata;
    const whole: JsonObject = { ...object, metadata: { ...metadata, uid } };
    const key = keyOf({ group, resource, namespace, name });
    const type = stored.has(key) ? "MODIFIED" : "ADDED";
    stored.set(key, whole);
    tell({ group, resource, type, object: whole });
    return whole;
  };
  return {
    put,
    remove: (group, resource, namespace, name) => void remove({ group, resource, namespace, name }),
    get: (group, resource, namespace, name) => stored.get(keyOf({ group, resource, namespace, name })),
    list(group, resource, namespace) {
      const prefix = namespace === undefined ? `${group}|${resource}|` : `${group}|${resource}|${namespace}|`;
      return [...stored.entries()].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
    },
    update(at, change) {
      const object = stored.get(keyOf(at));
      if (object === undefined) throw new ApiStatusError(404, "NotFound", `${at.resource} "${at.name}" not found`);
      return put(at.group, at.resource, change(structuredClone(object)));
    },
    delete: async (at) => remove(at),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
