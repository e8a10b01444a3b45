import type { KubeObject } from "#api/kubernetes/object";
import type { KubeClient } from "./kube-client.ts";

/** The field manager under which installations are applied, as Istio's. */
export const FIELD_MANAGER = "istio-operator";

/** Server-side apply of one object of any kind; takes fields over from other managers. Gives the stored object. */
export async function applyObject(
  client: KubeClient,
  object: KubeObject,
  fieldManager = FIELD_MANAGER,
): Promise<KubeObject> {
  const type = await client.resourceType(object.apiVersion ?? "", object.kind ?? "");
  const { namespace, name = "" } = object.metadata ?? {};
  const at = { name, ...(type.namespaced ? { namespace: namespace ?? "default" } : {}) };
  return client.patch<KubeObject>(type, at, object, { type: "apply", force: true, fieldManager });
}
