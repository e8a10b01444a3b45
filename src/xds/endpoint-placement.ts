// Where one endpoint ends up for one client: dialled directly, counted on the gateways of its network, or withheld with
// a reason. Everything about networks is decided here and nowhere else.
import type { Subset } from "#api/networking/destination-rule/types";
import type { Endpoint, EndpointShards } from "#model/endpoint";
import type { ClusterId, NetworkId } from "#model/ids";
import { isSameNetwork, type NetworkGateway } from "#model/network";
import { selectorMatches } from "#model/policies";
import type { WhyNotReason } from "#model/why-not";
import { isMtlsCapable, type MtlsRule } from "./mtls-rule.ts";

/** All that an assignment depends on, and so its cache key. */
export interface EndpointInput {
  readonly clusterName: string;
  readonly portName: string;
  readonly shards: EndpointShards;
  readonly subset: Subset | undefined;
  readonly client: EndpointClient;
  readonly gateways: readonly NetworkGateway[];
  readonly mtls: MtlsRule;
  /** The client is a gateway that forwards mesh mTLS unopened: nothing else may pass, and nothing of other networks. */
  readonly passthrough: boolean;
}

export interface EndpointClient {
  readonly network: NetworkId;
  /** Set when only endpoints of this cluster may be used. */
  readonly onlyCluster: ClusterId | undefined;
  /** Set when only endpoints of this node may be used. */
  readonly onlyNode: string | undefined;
  /** Networks it wants to see; empty means all. */
  readonly networkView: readonly NetworkId[];
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

export type Placement =
  | { readonly kind: "direct"; readonly address: string; readonly port: number; readonly mtls: boolean }
  | { readonly kind: "gateway"; readonly gateways: readonly NetworkGateway[] }
  | { readonly kind: "withheld"; readonly reason: WhyNotReason };

const withheld = (reason: WhyNotReason): Placement => ({ kind: "withheld", reason });

export function placeEndpoint(endpoint: Endpoint, input: EndpointInput, gateways: GatewayTable): Placement {
  const { client } = input;
  const port = endpoint.ports[input.portName];
  if (port === undefined || port === 0) return withheld("port-name-absent");
  const unwanted = unwantedReason(endpoint, input);
  if (unwanted !== undefined) return withheld(unwanted);
  const mtls = isMtlsCapable(endpoint, port, input.mtls);
  if (isDirect(endpoint, client, gateways)) {
    const address = endpoint.addresses.find((each) => hasFamily(client, each));
    if (address === undefined) return withheld("no-address-family");
    return input.passthrough && !mtls ? withheld("no-mtls-across-networks") : { kind: "direct", address, port, mtls };
  }
  if (input.passthrough) return withheld("not-in-network-view");
  if (!mtls) return withheld("no-mtls-across-networks");
  if (endpoint.health !== "healthy") return withheld("not-ready");
  const found = gateways.of(endpoint.network, endpoint.cluster);
  // Istio sends raw pod addresses here, which nobody can reach (docs/istio-differences.md).
  if (found.length === 0) return withheld("no-gateway-for-network");
  const usable = found.filter((gateway) => hasFamily(client, gateway.address));
  return usable.length === 0 ? withheld("no-gateway-address-family") : { kind: "gateway", gateways: usable };
}

function unwantedReason(endpoint: Endpoint, { subset, client }: EndpointInput): WhyNotReason | undefined {
  if (client.onlyCluster !== undefined && endpoint.cluster !== client.onlyCluster) return "cluster-local";
  if (client.onlyNode !== undefined && endpoint.node !== client.onlyNode) return "node-local";
  if (subset !== undefined && !selectorMatches(subset.labels, endpoint.labels)) return "subset-mismatch";
  const seen =
    client.networkView.length === 0 || endpoint.network === "" || client.networkView.includes(endpoint.network);
  if (!seen) return "not-in-network-view";
  return endpoint.health === "draining" ? "draining" : undefined;
}

/** A client that does not know its own network goes through a gateway wherever there is one. */
function isDirect(endpoint: Endpoint, client: EndpointClient, gateways: GatewayTable): boolean {
  if (!isSameNetwork(endpoint.network, client.network)) return false;
  const isUnsure = client.network === "" && endpoint.network !== "";
  return !isUnsure || gateways.of(endpoint.network, endpoint.cluster).length === 0;
}

function hasFamily(client: EndpointClient, address: string): boolean {
  return address.includes(":") ? client.ipv6 : client.ipv4;
}

/** Gateways by network, and by network and cluster. */
export class GatewayTable {
  readonly #byNetwork = new Map<string, NetworkGateway[]>();
  readonly #byCluster = new Map<string, NetworkGateway[]>();
  /** What all weights are multiplied by, so that each can be divided evenly among the gateways of its network. */
  readonly scale: number;

  constructor(gateways: readonly NetworkGateway[]) {
    for (const gateway of gateways) {
      push(this.#byNetwork, gateway.network, gateway);
      push(this.#byCluster, `${gateway.network} ${gateway.cluster}`, gateway);
    }
    const counts = [...this.#byNetwork.values(), ...this.#byCluster.values()].map((found) => found.length);
    this.scale = counts.reduce(leastCommonMultiple, 1);
  }

  /** The cluster's own gateways, else all of the network. */
  of(network: NetworkId, cluster: ClusterId): readonly NetworkGateway[] {
    return this.#byCluster.get(`${network} ${cluster}`) ?? this.#byNetwork.get(network) ?? [];
  }
}

const tables = new WeakMap<readonly NetworkGateway[], GatewayTable>();

/** One table for each list of gateways, dropped with it. */
export function gatewayTable(gateways: readonly NetworkGateway[]): GatewayTable {
  const table = tables.get(gateways) ?? new GatewayTable(gateways);
  tables.set(gateways, table);
  return table;
}

function push(map: Map<string, NetworkGateway[]>, key: string, gateway: NetworkGateway): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [gateway]);
  else list.push(gateway);
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a / x) * b;
}
