// One service of the mesh is the merge of the Services of that name in every cluster: the first cluster defines
// ports and attributes, the others add their virtual addresses and identities.
import type { ClusterId, Hostname, ServiceKey } from "./ids.ts";
import type { Protocol } from "./protocol.ts";

export interface ServicePort {
  /** Endpoints are matched by this name in every cluster. */
  readonly name: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** `client-side`: endpoints by EDS. `passthrough`: headless, the caller's own address is used. `alias`: ExternalName. */
export type Resolution = "client-side" | "passthrough" | "alias";

/** What one cluster says about a service. */
export interface ClusterService {
  readonly key: ServiceKey;
  readonly hostname: Hostname;
  readonly name: string;
  readonly namespace: string;
  readonly cluster: ClusterId;
  readonly ports: readonly ServicePort[];
  /** By port name: a number, or the name of a container port. */
  readonly targetPorts: Readonly<Record<string, number | string>>;
  /** Empty for headless services. */
  readonly vips: readonly string[];
  readonly resolution: Resolution;
  /** Namespaces, `*` for all, `.` for its own, `~` for none; empty means the mesh's default. */
  readonly exportTo: readonly string[];
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly selector: Readonly<Record<string, string>>;
  /** SPIFFE ids that annotations add to those of the endpoints. */
  readonly identities: readonly string[];
  /** `internalTrafficPolicy: Local`: only endpoints of the caller's node. */
  readonly nodeLocal: boolean;
}

export interface Service extends Omit<ClusterService, "cluster" | "vips" | "targetPorts" | "selector"> {
  /** The cluster whose object defines ports, resolution and attributes. */
  readonly definedBy: ClusterId;
  readonly clusterVips: ReadonlyMap<ClusterId, readonly string[]>;
  /** Every cluster's own words, for inbound configuration of its proxies and for debug pages. */
  readonly clusters: ReadonlyMap<ClusterId, ClusterService>;
}

/**
 * Order of clusters in merges: the own cluster first, then by id. Istio orders the others by the time they were
 * added, which differs between replicas and restarts; ids do not.
 */
export function compareClusters(own: ClusterId): (a: ClusterId, b: ClusterId) => number {
  return (a, b) => {
    if (a === b) return 0;
    if (a === own) return -1;
    if (b === own) return 1;
    return a < b ? -1 : 1;
  };
}

/** Merges what the clusters say; undefined when none says anything. */
export function mergeServices(parts: Iterable<ClusterService>, own: ClusterId): Service | undefined {
  const compare = compareClusters(own);
  const sorted = [...parts].sort((a, b) => compare(a.cluster, b.cluster));
  const first = sorted[0];
  if (first === undefined) return undefined;
  const { cluster, vips: _vips, targetPorts: _targetPorts, selector: _selector, ...attributes } = first;
  return Object.freeze({
    ...attributes,
    definedBy: cluster,
    identities: [...new Set(sorted.flatMap((part) => part.identities))].sort(),
    clusterVips: new Map(sorted.filter((part) => part.vips.length > 0).map((part) => [part.cluster, part.vips])),
    clusters: new Map(sorted.map((part) => [part.cluster, part])),
  });
}

/** Oldest first, ties by name: the order in which services win conflicts. */
export function compareServices(a: Service, b: Service): number {
  return a.created - b.created || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
}

/** Virtual addresses that a proxy of this cluster sees; a service of other clusters only answers on theirs. */
export function serviceVips(service: Service, cluster: ClusterId): readonly string[] {
  return service.clusterVips.get(cluster) ?? service.clusterVips.values().next().value ?? [];
}

/** Whether configuration of this namespace may see the service. */
export function isExportedTo(service: Service, namespace: string, meshDefault: readonly string[]): boolean {
  const rules = service.exportTo.length > 0 ? service.exportTo : meshDefault;
  if (rules.length === 0) return true;
  return rules.some((rule) => rule === "*" || rule === namespace || (rule === "." && service.namespace === namespace));
}
