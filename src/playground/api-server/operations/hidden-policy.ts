// Services of type ExternalName keep the internalTrafficPolicy that somebody gave them, and nobody is shown it: Kubernetes
// drops it when it reads them (`defaultOnReadInternalTrafficPolicy`). Who changes such a service changes what is kept: a
// PUT of what was shown takes the field away, and counts as a change.
import type { JsonObject, JsonValue } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import type { ObjectStore } from "../store/object-store.ts";

const SERVICES = "/services";
const FIELD = "internalTrafficPolicy";

/** By the uid of the service. In memory alone: a restart forgets what nobody can see. */
const hidden = new WeakMap<ObjectStore, Map<string, JsonValue>>();
const uidOf = (object: JsonObject) => stringAt(object, "metadata", "uid");

function hiddenOf(store: ObjectStore): Map<string, JsonValue> {
  const known = hidden.get(store);
  if (known !== undefined) return known;
  const policies = new Map<string, JsonValue>();
  hidden.set(store, policies);
  store.subscribe((change) => {
    if (change.type === "DELETED") policies.delete(uidOf(change.object));
  }, SERVICES);
  return policies;
}

/** The object as it is kept: the one of the store, or a copy with what is not shown. */
export function withHidden(store: ObjectStore, key: string, object: JsonObject): JsonObject {
  const policy = key === SERVICES ? hiddenOf(store).get(uidOf(object)) : undefined;
  return policy === undefined ? object : { ...object, spec: { ...objectAt(object, "spec"), [FIELD]: policy } };
}

/** The object as it is shown. */
export function withoutHidden(key: string, object: JsonObject): JsonObject {
  if (key !== SERVICES) return object;
  const { [FIELD]: policy, ...spec } = objectAt(object, "spec");
  return policy === undefined || spec["type"] !== "ExternalName" ? object : { ...object, spec };
}

/** Writes the object as it is shown and remembers the rest. */
export function commitShown(
  store: ObjectStore,
  key: string,
  { type, object }: { readonly type: "ADDED" | "MODIFIED"; readonly object: JsonObject },
): JsonObject {
  const shown = withoutHidden(key, object);
  const committed = store.commit(key, type, shown);
  if (key !== SERVICES) return committed;
  const policy = objectAt(object, "spec")[FIELD];
  if (shown === object || policy === undefined) hiddenOf(store).delete(uidOf(committed));
  else hiddenOf(store).set(uidOf(committed), policy);
  return committed;
}
