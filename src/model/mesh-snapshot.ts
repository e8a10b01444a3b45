import type { MeshConfig } from "#api/mesh-config/mesh-config";
import type { MeshNetworks } from "#api/mesh-config/mesh-networks";
import type { EndpointIndex } from "./endpoint.ts";
import type { ClusterId, ServiceKey } from "./ids.ts";
import type { Networks } from "./network.ts";
import type { Policies } from "./policies.ts";
import type { Service } from "./service.ts";

/** What holds for the whole mesh as this control plane sees it. */
export interface MeshFacts {
  readonly config: MeshConfig;
  readonly meshNetworks: MeshNetworks;
  /** The control plane's own cluster. */
  readonly ownCluster: ClusterId;
  readonly systemNamespace: string;
  /** DNS suffix of Kubernetes services. */
  readonly domain: string;
}

/**
 * All facts at one moment. Nobody may change a snapshot; the next one shares every part that did not change, so
 * identity of a part means equality.
 */
export interface MeshSnapshot {
  readonly mesh: MeshFacts;
  readonly networks: Networks;
  readonly services: ReadonlyMap<ServiceKey, Service>;
  readonly endpoints: EndpointIndex;
  readonly policies: Policies;
  /** Grows by one with every published change. */
  readonly generation: number;
}
