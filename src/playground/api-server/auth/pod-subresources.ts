// pods/binding puts a pod on a node.
import { systemClock } from "#base/clock";
import { badRequest, conflict } from "../api-errors.ts";
import type { JsonObject, ObjectAccess, VirtualResource } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";

const PODS = { group: "", plural: "pods" };

const success = (code: number): JsonObject => ({
  kind: "Status",
  apiVersion: "v1",
  metadata: {},
  status: "Success",
  code,
});

/** POST pods/NAME/binding and POST bindings, which names the pod in its metadata. */
export function podBindings(objects: ObjectAccess): VirtualResource[] {
  const bind = async (namespace: string, name: string, body: JsonObject) => {
    const node = stringAt(body, "target", "name");
    if (node === "") throw badRequest("target.name must name a node");
    const topology = topologyOf(objects.get("", "nodes", "", node));
    objects.update({ group: "", resource: "pods", namespace, name }, (pod) => assigned(pod, node, body, topology));
    return success(201);
  };
  const row = { group: "", version: "v1", kind: "Binding", namespaced: true };
  return [
    {
      ...row,
      resource: "pods",
      subresource: "binding",
      create: ({ namespace, name, body }) => bind(namespace, name, body),
    },
    {
      ...row,
      resource: "bindings",
      create: ({ namespace, body }) => bind(namespace, stringAt(body, "metadata", "name"), body),
    },
  ];
}

/** Zone and region of the node, which its pods carry from the moment they are bound to it. */
function topologyOf(node: JsonObject | undefined): JsonObject {
  const labels = objectAt(node, "metadata", "labels");
  return Object.fromEntries(
    ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"].flatMap((key) => {
      const value = labels[key];
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function assigned(pod: JsonObject, node: string, binding: JsonObject, topology: JsonObject): JsonObject {
  const name = stringAt(pod, "metadata", "name");
  const present = stringAt(pod, "spec", "nodeName");
  if (present !== "") throw conflict(PODS, name, `pod ${name} is already assigned to node ${JSON.stringify(present)}`);
  if (stringAt(pod, "metadata", "deletionTimestamp") !== "") {
    throw conflict(PODS, name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  const scheduled = {
    type: "PodScheduled",
    status: "True",
    lastTransitionTime: `${new Date(systemClock.now()).toISOString().slice(0, 19)}Z`,
  };
  const others = objectsAt(pod, "status", "conditions").filter((condition) => condition["type"] !== "PodScheduled");
  const annotations = { ...objectAt(pod, "metadata", "annotations"), ...objectAt(binding, "metadata", "annotations") };
  const labels = { ...objectAt(pod, "metadata", "labels"), ...topology };
  return {
    ...pod,
    metadata: {
      ...objectAt(pod, "metadata"),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
    spec: { ...objectAt(pod, "spec"), nodeName: node },
    status: { ...objectAt(pod, "status"), conditions: [...others, scheduled] },
  };
}
