// What is served, as clients ask for it: the classic documents, and the aggregated one that saves them a request for
// each group.
import type { JsonObject } from "../contract.ts";
import type { Registry } from "../registry.ts";
import { apiVersionOf, type ResourceKind } from "../resource-kind.ts";

const STORED_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const STATUS_VERBS = ["get", "patch", "update"];

interface SubresourceRow {
  readonly verbs: readonly string[];
  readonly kind?: string;
  readonly group?: string;
  readonly version?: string;
}

const SUBRESOURCES: Readonly<Record<string, SubresourceRow>> = {
  status: { verbs: STATUS_VERBS },
  approval: { verbs: STATUS_VERBS },
  ephemeralcontainers: { verbs: STATUS_VERBS },
  resize: { verbs: STATUS_VERBS },
  finalize: { verbs: ["update"] },
  scale: { verbs: STATUS_VERBS, kind: "Scale", group: "autoscaling", version: "v1" },
  log: { verbs: ["get"] },
  exec: { verbs: ["create", "get"], kind: "PodExecOptions" },
  attach: { verbs: ["create", "get"], kind: "PodAttachOptions" },
  portforward: { verbs: ["create", "get"], kind: "PodPortForwardOptions" },
  proxy: { verbs: ["create", "delete", "get", "patch", "update"], kind: "ProxyOptions" },
  binding: { verbs: ["create"], kind: "Binding" },
  eviction: { verbs: ["create"], kind: "Eviction", group: "policy", version: "v1" },
  token: { verbs: ["create"], kind: "TokenRequest", group: "authentication.k8s.io", version: "v1" },
};

export const verbsOf = (kind: ResourceKind) => (kind.stored ? STORED_VERBS : ["create"]);

const kindsIn = (registry: Registry, group: string, version: string) =>
  registry
    .kinds()
    .filter((kind) => kind.group === group && kind.version === version)
    .sort((a, b) => (a.plural < b.plural ? -1 : 1));

/** `/api/v1` and `/apis/G/V`; undefined when nothing is served there. */
export function resourceList(registry: Registry, group: string, version: string): JsonObject | undefined {
  const kinds = kindsIn(registry, group, version);
  if (kinds.length === 0) return undefined;
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [mainRow(kind), ...kind.subresources.map((name) => subRow(kind, name))]),
  };
}

function mainRow(kind: ResourceKind): JsonObject {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: [...verbsOf(kind)],
    ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
    ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
  };
}

function subRow(kind: ResourceKind, name: string): JsonObject {
  const row = SUBRESOURCES[name];
  return {
    name: `${kind.plural}/${name}`,
    singularName: "",
    namespaced: kind.namespaced,
    ...(row?.group === undefined ? {} : { group: row.group }),
    ...(row?.version === undefined ? {} : { version: row.version }),
    kind: row?.kind ?? kind.kind,
    verbs: [...(row?.verbs ?? ["get"])],
  };
}

const isNamed = ({ group }: { readonly group: string }) => group !== "";

function groupDocument(group: string, versions: readonly string[]): JsonObject {
  const rows = versions.map((version) => ({ groupVersion: `${group}/${version}`, version }));
  return { name: group, versions: rows, preferredVersion: rows[0] ?? {} };
}

/** `/apis`. */
export function groupList(registry: Registry): JsonObject {
  const groups = registry.groups().filter(isNamed);
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groups.map((row) => groupDocument(row.group, row.versions)),
  };
}

/** `/apis/G`. */
export function groupOf(registry: Registry, group: string): JsonObject | undefined {
  const row = registry.groups().find((candidate) => candidate.group === group && isNamed(candidate));
  return row && { kind: "APIGroup", apiVersion: "v1", ...groupDocument(row.group, row.versions) };
}

/** `/api`. */
export function coreVersions(serverAddress: string): JsonObject {
  return {
    kind: "APIVersions",
    versions: ["v1"],
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** The aggregated form of `/api` (core) or `/apis` (all others). `version` is v2 or v2beta1. */
export function aggregated(registry: Registry, core: boolean, version: string): JsonObject {
  const groups = registry.groups().filter((row) => isNamed(row) !== core);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map((row) => ({
      metadata: { name: row.group, creationTimestamp: null },
      versions: row.versions.map((name) => ({
        version: name,
        freshness: "Current",
        resources: kindsIn(registry, row.group, name).map(aggregatedRow),
      })),
    })),
  };
}

const reference = (group: string, version: string, kind: string): JsonObject => ({ group, version, kind });

function aggregatedRow(kind: ResourceKind): JsonObject {
  return {
    resource: kind.plural,
    responseKind: reference(kind.group, kind.version, kind.kind),
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: [...verbsOf(kind)],
    ...(kind.shortNames.length === 0 ? {} : { shortNames: [...kind.shortNames] }),
    ...(kind.categories.length === 0 ? {} : { categories: [...kind.categories] }),
    ...(kind.subresources.length === 0
      ? {}
      : { subresources: kind.subresources.map((name) => aggregatedSub(kind, name)) }),
  };
}

function aggregatedSub(kind: ResourceKind, name: string): JsonObject {
  const row = SUBRESOURCES[name];
  return {
    subresource: name,
    responseKind: reference(row?.group ?? kind.group, row?.version ?? kind.version, row?.kind ?? kind.kind),
    verbs: [...(row?.verbs ?? ["get"])],
  };
}
