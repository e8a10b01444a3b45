// What is served, as clients ask for it: the classic documents, and the aggregated one that saves them a request for
// each group.
import type { JsonObject } from "../contract.ts";
import type { Registry } from "../registry.ts";
import { apiVersionOf, type ResourceKind, type Subresource } from "../resource-kind.ts";

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
    // Kubernetes leaves it out for the core group.
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [mainRow(kind), ...kind.subresourceRows.map((row) => subRow(kind, row))]),
  };
}

function mainRow(kind: ResourceKind): JsonObject {
  return {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: [...kind.verbs],
    ...names(kind),
    ...(kind.storageVersionHash === undefined ? {} : { storageVersionHash: kind.storageVersionHash }),
  };
}

const names = ({ shortNames, categories }: ResourceKind): JsonObject => ({
  ...(shortNames.length === 0 ? {} : { shortNames: [...shortNames] }),
  ...(categories.length === 0 ? {} : { categories: [...categories] }),
});

function subRow(kind: ResourceKind, row: Subresource): JsonObject {
  return {
    name: `${kind.plural}/${row.name}`,
    singularName: "",
    namespaced: kind.namespaced,
    ...(row.group === undefined ? {} : { group: row.group }),
    ...(row.version === undefined ? {} : { version: row.version }),
    kind: row.kind,
    verbs: [...row.verbs],
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

/** The aggregated form of `/api` (core) or `/apis` (all others). */
export function aggregated(registry: Registry, core: boolean): JsonObject {
  const groups = registry.groups().filter((row) => isNamed(row) !== core);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: "apidiscovery.k8s.io/v2",
    metadata: {},
    items: groups.map((row) => ({
      metadata: isNamed(row) ? { name: row.group } : {},
      versions: row.versions.map((name) => ({
        version: name,
        resources: kindsIn(registry, row.group, name).map(aggregatedRow),
        freshness: "Current",
      })),
    })),
  };
}

/** Built-in kinds leave out the group and version of their own place. */
function responseKind(kind: ResourceKind, row?: Subresource): JsonObject {
  const own = kind.custom === undefined ? { group: "", version: "" } : { group: kind.group, version: kind.version };
  return {
    group: row?.group ?? own.group,
    version: row?.version ?? own.version,
    kind: row?.kind ?? kind.kind,
  };
}

function aggregatedRow(kind: ResourceKind): JsonObject {
  const subresources = kind.subresourceRows.map((row) => ({
    subresource: row.name,
    responseKind: responseKind(kind, row),
    verbs: [...row.verbs],
  }));
  return {
    resource: kind.plural,
    responseKind: responseKind(kind),
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: [...kind.verbs],
    ...names(kind),
    ...(subresources.length === 0 ? {} : { subresources }),
  };
}
