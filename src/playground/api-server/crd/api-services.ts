// One APIService for each group and version of custom resources, as Kubernetes registers them by itself.
import { randomUUID } from "node:crypto";
import { type EngineParts, timestamp } from "../api-context.ts";
import { trackUpdate } from "../apply/managed-fields.ts";
import { SERVER } from "../bootstrap-objects.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";

const KEY = "apiregistration.k8s.io/apiservices";
const MANAGED = "kube-aggregator.kubernetes.io/automanaged";

/** Makes what is missing and removes what is served no more. */
export function registerApiServices(parts: EngineParts): void {
  const wanted = new Map<string, JsonObject>();
  for (const kind of parts.registry.kinds()) {
    if (kind.custom === undefined) continue;
    wanted.set(`${kind.version}.${kind.group}`, { group: kind.group, version: kind.version });
  }
  for (const object of parts.store.list(KEY)) {
    const name = stringAt(object, "metadata", "name");
    const own = objectAt(object, "metadata", "labels")[MANAGED] === "true";
    if (!wanted.delete(name) && own) parts.store.commit(KEY, "DELETED", structuredClone(object));
  }
  for (const [name, spec] of wanted) parts.store.commit(KEY, "ADDED", apiService(parts, name, spec));
}

function apiService(parts: EngineParts, name: string, at: JsonObject): JsonObject {
  const now = timestamp(parts.now());
  const metadata: JsonObject = {
    name,
    uid: randomUUID(),
    creationTimestamp: now,
    labels: { [MANAGED]: "true" },
  };
  const service: JsonObject = {
    kind: "APIService",
    apiVersion: "apiregistration.k8s.io/v1",
    metadata,
    spec: { ...at, groupPriorityMinimum: 1000, versionPriority: 100 },
  };
  const schema = parts.registry.find("apiregistration.k8s.io", "v1", "apiservices")?.schema ?? {};
  metadata["managedFields"] = trackUpdate(schema, undefined, service, {
    manager: SERVER.fieldManager,
    operation: "Update",
    apiVersion: "apiregistration.k8s.io/v1",
    subresource: "",
    time: now,
  });
  const available = {
    type: "Available",
    status: "True",
    lastTransitionTime: now,
    reason: "Local",
    message: "Local APIServices are always available",
  };
  return { ...service, status: { conditions: [available] } };
}
