// An endpoint of another network stays an endpoint here; only xds turns it into an address of a gateway.
import type { ClusterId, NetworkId, ServiceKey } from "./ids.ts";

/** `draining` takes no new requests; `unhealthy` is known but not ready. */
export type Health = "healthy" | "unhealthy" | "draining";

export interface Endpoint {
  /** IP addresses, the primary family first; never empty. */
  readonly addresses: readonly string[];
  /** Port numbers by service port name. */
  readonly ports: Readonly<Record<string, number>>;
  readonly cluster: ClusterId;
  readonly network: NetworkId;
  /** `region/zone/subzone`, "" when unknown. */
  readonly locality: string;
  /** SPIFFE id, "" when there is no pod to ask. */
  readonly identity: string;
  readonly tlsMode: "istio" | "disabled";
  readonly health: Health;
  /** At least 1. */
  readonly weight: number;
  /** Pod labels plus cluster, network, region, zone, subzone and node. */
  readonly labels: Readonly<Record<string, string>>;
  readonly node: string;
  readonly namespace: string;
  readonly workload: string;
  /** Name of the pod, "" when there is none. */
  readonly pod: string;
}

/** Endpoints of one service by cluster; a cluster writes its own shard only. Shards are never empty. */
export type EndpointShards = ReadonlyMap<ClusterId, readonly Endpoint[]>;
export type EndpointIndex = ReadonlyMap<ServiceKey, EndpointShards>;

const NO_SHARDS: EndpointShards = new Map();

export function shardsOf(index: EndpointIndex, service: ServiceKey): EndpointShards {
  return index.get(service) ?? NO_SHARDS;
}

/** All SPIFFE ids of the shards, sorted, without duplicates. */
export function identitiesOf(shards: EndpointShards): readonly string[] {
  const found = new Set<string>();
  for (const shard of shards.values())
    for (const endpoint of shard) if (endpoint.identity) found.add(endpoint.identity);
  return [...found].sort();
}
