import type { KubeObject } from "#api/kubernetes/object";

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** Drops what tools note for themselves; often it is larger than the object. */
export function projectObject<T extends KubeObject>(object: T): T {
  const { managedFields: _managedFields, annotations, ...metadata } = object.metadata ?? {};
  if (annotations === undefined) return { ...object, metadata };
  const { [LAST_APPLIED]: _lastApplied, ...kept } = annotations;
  return { ...object, metadata: { ...metadata, annotations: kept } };
}
