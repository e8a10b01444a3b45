import type { ClusterId, NetworkId, ServiceKey } from "./ids.ts";

/** One address through which the pods of a network are reached. */
export interface NetworkGateway {
  readonly network: NetworkId;
  /** "" when it stands for the whole network and for no cluster in particular (meshNetworks). */
  readonly cluster: ClusterId;
  readonly address: string;
  readonly port: number;
  /** Object that declares it, for people: `Service istio-system/istio-eastwestgateway`. */
  readonly source: string;
  /** Whose pods take what comes to the address; absent when only the address is known. */
  readonly service?: ServiceKey;
  /**
   * Another one when other pods stand behind the address; absent when none are known. Connections through a pod that
   * ends are lost with it, so clients have to make new ones while it still works.
   */
  readonly epoch?: string;
}

export type GatewayProblem = "no-address" | "hostname-unresolved" | "port-not-exposed" | "port-invalid";

/** A gateway that is declared but cannot be used yet. */
export interface UnusableGateway {
  readonly network: NetworkId;
  readonly cluster: ClusterId;
  readonly source: string;
  readonly reason: GatewayProblem;
  /** One sentence for people: what is missing and where to look. */
  readonly message: string;
}

export interface Networks {
  /** Sorted by network, cluster, address, port. */
  readonly gateways: readonly NetworkGateway[];
  readonly unusable: readonly UnusableGateway[];
}

export const NO_NETWORKS: Networks = Object.freeze({ gateways: [], unusable: [] });

/** Equal, or one side unknown. */
export function isSameNetwork(a: NetworkId, b: NetworkId): boolean {
  return a === b || a === "" || b === "";
}

export function compareGateways(a: NetworkGateway, b: NetworkGateway): number {
  return (
    compareText(a.network, b.network) ||
    compareText(a.cluster, b.cluster) ||
    compareText(a.address, b.address) ||
    a.port - b.port ||
    compareText(a.source, b.source)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
