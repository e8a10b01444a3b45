// pods/binding puts a pod on a node, pods/eviction deletes it unless a disruption budget forbids that.
import { systemClock } from "#base/clock";
import { badRequest, conflict, notFound } from "../api-errors.ts";
import { ApiStatusError, type JsonObject, type ObjectAccess, type VirtualResource } from "../contract.ts";
import { isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { matchesSelector } from "../label-selector.ts";

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

/** POST pods/NAME/eviction: 429 while a PodDisruptionBudget of the pod allows no disruption. */
export function podEviction(objects: ObjectAccess): VirtualResource {
  return {
    group: "",
    version: "v1",
    kind: "Eviction",
    resource: "pods",
    subresource: "eviction",
    namespaced: true,
    async create({ namespace, name, body }) {
      const pod = objects.get("", "pods", namespace, name);
      if (pod === undefined) throw notFound(PODS, name);
      const budget = objects
        .list("policy", "poddisruptionbudgets", namespace)
        .find((candidate) => forbidsEviction(candidate, pod));
      if (budget !== undefined) throw budgetError(stringAt(budget, "metadata", "name"));
      await objects.delete({ group: "", resource: "pods", namespace, name }, objectAt(body, "deleteOptions"));
      return success(201);
    },
  };
}

function forbidsEviction(budget: JsonObject, pod: JsonObject): boolean {
  const selector = objectAt(budget, "spec")["selector"];
  if (!isObject(selector) || (numberAt(budget, "status", "disruptionsAllowed") ?? 0) > 0) return false;
  return matchesSelector(selector, objectAt(pod, "metadata", "labels"));
}

function budgetError(name: string): ApiStatusError {
  const message = "Cannot evict pod as it would violate the pod's disruption budget.";
  const cause = { reason: "DisruptionBudget", message: `The disruption budget ${name} allows no disruption now` };
  return new ApiStatusError(429, "TooManyRequests", message, { causes: [cause] });
}
