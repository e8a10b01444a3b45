import { readFileSync } from "node:fs";
import type { ClusterProcessConfig } from "#playground/process-config";
import { type EngineParts, timestamp, type WriteContext } from "./api-context.ts";
import type { JsonObject } from "./contract.ts";
import { isObject, objectAt, objectsAt, stringAt } from "./json.ts";
import { applyObject } from "./operations/apply-object.ts";
import { createObject } from "./operations/create-object.ts";
import { parseApiVersion, type ResourceKind, storageKey } from "./resource-kind.ts";

/** The objects that every cluster has before anybody asks for anything; `clusterIP` is the first of the service range. */
export function bootstrapObjects(config: ClusterProcessConfig, clusterIP: string): JsonObject[] {
  const { address, port } = config.listen;
  const service: JsonObject = { component: "apiserver", provider: "kubernetes" };
  const named = { name: "kubernetes", namespace: "default" };
  return [
    ...["default", "kube-system", "kube-public", "kube-node-lease"].map(
      (name): JsonObject => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }),
    ),
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { ...named, labels: service },
      spec: {
        clusterIP,
        ipFamilyPolicy: "SingleStack",
        ports: [{ name: "https", port: 443, protocol: "TCP", targetPort: port }],
      },
    },
    ...(address.startsWith("127.") ? [] : endpointsOf(named, address, port)),
    serviceRange(config),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "extension-apiserver-authentication", namespace: "kube-system" },
      data: { "client-ca-file": readFileSync(config.pki.clientCaCert, "utf8") },
    },
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "kube-apiserver-legacy-service-account-token-tracking", namespace: "kube-system" },
      data: { since: new Date().toISOString().slice(0, 10) },
    },
  ];
}

/** Where Services get their addresses from. */
function serviceRange({ serviceCIDR, ipv6 }: ClusterProcessConfig): JsonObject {
  const message = "Kubernetes default Service CIDR is ready";
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs: [serviceCIDR, ...(ipv6 === undefined ? [] : [ipv6.serviceCIDR])] },
    status: { conditions: [{ type: "Ready", status: "True", message }] },
  };
}

/** What the Service "kubernetes" leads to. No endpoint may be in the loopback range, as Kubernetes has it. */
function endpointsOf(named: JsonObject, address: string, port: number): JsonObject[] {
  return [
    {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { ...named, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
      subsets: [{ addresses: [{ ip: address }], ports: [{ name: "https", port, protocol: "TCP" }] }],
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...named, labels: { "kubernetes.io/service-name": "kubernetes" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [address], conditions: { ready: true } }],
      ports: [{ name: "https", port, protocol: "TCP" }],
    },
  ];
}

/** Who the server is to itself. */
export const SERVER: WriteContext = {
  user: { username: "system:apiserver", groups: ["system:masters"] },
  dryRun: false,
  fieldManager: "kube-apiserver",
  fieldValidation: "Strict",
  warnings: [],
};

/** Parts of the server that make objects under a name of their own. */
const MAKERS: Readonly<Record<string, string>> = {
  "flowcontrol.apiserver.k8s.io": "api-priority-and-fairness-config-producer-v1",
};

/** Makes objects that are not there yet, without admission: the plug-ins may not be ready for requests. */
export async function ensureObjects(parts: EngineParts, objects: readonly JsonObject[]): Promise<void> {
  const own = { ...parts, admission: [] };
  for (const body of objects) {
    const { group, version } = parseApiVersion(body["apiVersion"]);
    const kind = parts.registry.findKind(group, version, stringAt(body, "kind"));
    if (kind === undefined) throw new Error(`bootstrap object of unknown kind ${stringAt(body, "kind")}`);
    const metadata = objectAt(body, "metadata");
    const target = { namespace: stringAt(metadata, "namespace"), name: stringAt(metadata, "name"), subresource: "" };
    if (parts.store.get(storageKey(kind), target.namespace, target.name) !== undefined) continue;
    const fieldManager = MAKERS[group] ?? SERVER.fieldManager;
    const { status, ...sent } = body;
    const context = { ...SERVER, fieldManager, warnings: [] };
    const made = await createObject(own, kind, { target, body: sent, context });
    if (!isObject(status)) continue;
    const manager = STATUS_MAKERS[stringAt(body, "kind")];
    if (manager === undefined) giveStatus(parts, kind, made, status);
    else await applyStatus(own, kind, { body, manager, status: withTimes(parts, status) });
  }
}

/** Parts of the server that apply the status of what others made. */
const STATUS_MAKERS: Readonly<Record<string, string>> = {
  FlowSchema: "api-priority-and-fairness-config-consumer-v1",
  ServiceCIDR: "kubernetes-service-cidr-controller",
};

async function applyStatus(
  parts: EngineParts,
  kind: ResourceKind,
  { body, manager, status }: { readonly body: JsonObject; readonly manager: string; readonly status: JsonObject },
): Promise<void> {
  const { apiVersion = "", kind: kindName = "" } = body;
  const name = stringAt(body, "metadata", "name");
  await applyObject(parts, kind, {
    target: { namespace: "", name, subresource: "status" },
    body: { apiVersion, kind: kindName, metadata: { name }, status },
    context: { ...SERVER, fieldManager: manager, warnings: [] },
    force: true,
  });
}

function withTimes(parts: EngineParts, status: JsonObject): JsonObject {
  const now = timestamp(parts.now());
  const conditions = objectsAt(status, "conditions").map((condition) => ({ ...condition, lastTransitionTime: now }));
  return conditions.length === 0 ? status : { ...status, conditions };
}

/** What the server itself says of an object that it made. */
function giveStatus(parts: EngineParts, kind: ResourceKind, made: JsonObject, status: JsonObject): void {
  parts.store.commit(storageKey(kind), "MODIFIED", { ...structuredClone(made), status: withTimes(parts, status) });
}
