// Short ways to the parts of metadata that every controller reads; an object of the API server always has them.

import { apiVersionOf, type ResourceType } from "#api/kinds";
import type { OwnerReference } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";

export interface ObjectIdentity {
  /** "" for objects of the cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export function identityOf(object: KubeObject): ObjectIdentity {
  const { namespace = "", name = "", uid = "" } = object.metadata ?? {};
  return { namespace, name, uid };
}

export function labelsOf(object: KubeObject): Readonly<Record<string, string>> {
  return object.metadata?.labels ?? {};
}

export function annotationsOf(object: KubeObject): Readonly<Record<string, string>> {
  return object.metadata?.annotations ?? {};
}

export function isBeingDeleted(object: KubeObject): boolean {
  return object.metadata?.deletionTimestamp !== undefined;
}

/** The one owner that manages the object, if any. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}

/** Refers to `owner` as the managing controller whose foreground deletion waits for the object. */
export function controllerReference(type: ResourceType, owner: KubeObject): OwnerReference {
  const { name, uid } = identityOf(owner);
  return { apiVersion: apiVersionOf(type), kind: type.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** Seconds precision, as Kubernetes writes metav1.Time. */
export function kubeTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
