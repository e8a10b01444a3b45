// Services of type ExternalName keep the internalTrafficPolicy that somebody gave them, and nobody is shown it: Kubernetes
// drops it when it reads them (`defaultOnReadInternalTrafficPolicy`). Who changes such a service changes what is kept: a
// PUT of what was shown takes the field away, and counts as a change.
import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import type { ObjectStore } from "../store/object-store.ts";

const SERVICES = "/services";
const FIELD = "internalTrafficPolicy";

/** The object as it is kept: the one of the store, or a copy with what is not shown. */
export function withHidden(store: ObjectStore, key: string, object: JsonObject): JsonObject {
  if (key !== SERVICES) return object;
  const metadata = objectAt(object, "metadata");
  const hidden = store.find(key, stringAt(metadata, "namespace"), stringAt(metadata, "name"))?.hidden;
  return hidden === undefined ? object : { ...object, spec: { ...objectAt(object, "spec"), ...hidden } };
}

/** The object as it is shown. */
export function withoutHidden(key: string, object: JsonObject): JsonObject {
  if (key !== SERVICES) return object;
  const { [FIELD]: policy, ...spec } = objectAt(object, "spec");
  return policy === undefined || spec["type"] !== "ExternalName" ? object : { ...object, spec };
}

/** Writes the object as it is shown, and the rest beside it. */
export function commitShown(
  store: ObjectStore,
  key: string,
  { type, object }: { readonly type: "ADDED" | "MODIFIED"; readonly object: JsonObject },
): JsonObject {
  const shown = withoutHidden(key, object);
  const policy = shown === object ? undefined : objectAt(object, "spec")[FIELD];
  return store.commit(key, type, shown, { hidden: policy === undefined ? undefined : { [FIELD]: policy } });
}
