// What the pods of each node refer to: the node authorizer asks for every read of a Secret or ConfigMap, so it must not
// scan pods. References are counted, because many pods may share one.
import type { JsonObject, ObjectAccess } from "../contract.ts";
import { isObject, objectsAt, stringAt } from "../json.ts";

export interface NodePodIndex {
  /** True when a pod of the node refers to the object: an account, a Secret, a ConfigMap, a claim. */
  refers(node: string, resource: string, namespace: string, name: string): boolean;
}

export function createNodePodIndex(objects: ObjectAccess): NodePodIndex {
  const counts = new Map<string, Map<string, number>>();
  const known = new Map<string, { node: string; references: readonly string[] }>();

  const count = (node: string, references: readonly string[], by: number) => {
    const ofNode = counts.get(node) ?? new Map<string, number>();
    counts.set(node, ofNode);
    for (const reference of references) {
      const next = (ofNode.get(reference) ?? 0) + by;
      if (next > 0) ofNode.set(reference, next);
      else ofNode.delete(reference);
    }
  };
  const take = (pod: JsonObject, gone: boolean) => {
    const key = `${stringAt(pod, "metadata", "namespace")}/${stringAt(pod, "metadata", "name")}`;
    const before = known.get(key);
    if (before !== undefined) count(before.node, before.references, -1);
    known.delete(key);
    const node = stringAt(pod, "spec", "nodeName");
    if (gone || node === "") return;
    const references = podReferences(pod);
    known.set(key, { node, references });
    count(node, references, 1);
  };

  objects.subscribe((change) => {
    if (change.group === "" && change.resource === "pods") take(change.object, change.type === "DELETED");
  });
  for (const pod of objects.list("", "pods")) take(pod, false);
  return {
    refers: (node, resource, namespace, name) => counts.get(node)?.has(`${resource}/${namespace}/${name}`) ?? false,
  };
}

const MIRROR = "kubernetes.io/config.mirror";

/** Where volumes of other kinds name a Secret. */
const VOLUME_SECRETS: readonly (readonly string[])[] = [
  ["azureFile", "secretName"],
  ...["cephfs", "flexVolume", "rbd", "scaleIO", "iscsi", "storageos"].map((kind) => [kind, "secretRef", "name"]),
  ["csi", "nodePublishSecretRef", "name"],
];

function podReferences(pod: JsonObject): string[] {
  const namespace = stringAt(pod, "metadata", "namespace");
  const found = new Set<string>();
  // A node makes those itself: they may not open anything to it.
  if (stringAt(pod, "metadata", "annotations", MIRROR) !== "") return [];
  const add = (resource: string, name: string) => {
    if (name !== "") found.add(`${resource}/${namespace}/${name}`);
  };
  add("serviceaccounts", stringAt(pod, "spec", "serviceAccountName"));
  for (const secret of objectsAt(pod, "spec", "imagePullSecrets")) add("secrets", stringAt(secret, "name"));
  for (const volume of objectsAt(pod, "spec", "volumes")) {
    add("secrets", stringAt(volume, "secret", "secretName"));
    for (const path of VOLUME_SECRETS) add("secrets", stringAt(volume, ...path));
    add("persistentvolumeclaims", stringAt(volume, "persistentVolumeClaim", "claimName"));
    if (isObject(volume["ephemeral"]))
      add("persistentvolumeclaims", `${stringAt(pod, "metadata", "name")}-${stringAt(volume, "name")}`);
    add("configmaps", stringAt(volume, "configMap", "name"));
    for (const source of objectsAt(volume, "projected", "sources")) {
      add("secrets", stringAt(source, "secret", "name"));
      add("configmaps", stringAt(source, "configMap", "name"));
    }
  }
  for (const claim of objectsAt(pod, "spec", "resourceClaims"))
    add("resourceclaims", stringAt(claim, "resourceClaimName"));
  for (const claim of objectsAt(pod, "status", "resourceClaimStatuses"))
    add("resourceclaims", stringAt(claim, "resourceClaimName"));
  for (const list of ["containers", "initContainers", "ephemeralContainers"]) {
    for (const container of objectsAt(pod, "spec", list)) addEnvironment(container, add);
  }
  return [...found];
}

function addEnvironment(container: JsonObject, add: (resource: string, name: string) => void): void {
  for (const source of objectsAt(container, "envFrom")) {
    add("secrets", stringAt(source, "secretRef", "name"));
    add("configmaps", stringAt(source, "configMapRef", "name"));
  }
  for (const variable of objectsAt(container, "env")) {
    add("secrets", stringAt(variable, "valueFrom", "secretKeyRef", "name"));
    add("configmaps", stringAt(variable, "valueFrom", "configMapKeyRef", "name"));
  }
}
