import type { Endpoint } from "#model/endpoint";
import type { NetworkGateway } from "#model/network";
import type { WhyNot } from "#model/why-not";
import { encodeAssignment, encodeGatewayEndpoint, type LocalityGroup, weightedEndpoint } from "./encode-endpoints.ts";
import { type EndpointInput, gatewayTable, placeEndpoint } from "./endpoint-placement.ts";

/** Weights are unsigned 32-bit numbers on the wire. */
const MAX_WEIGHT = 0xffff_ffff;

interface Tally {
  readonly gateway: NetworkGateway;
  weight: number;
}

/** The serialized ClusterLoadAssignment of one cluster for one kind of client. No endpoint at all is a valid answer. */
export function buildEndpoints(input: EndpointInput): Uint8Array {
  const table = gatewayTable(input.gateways);
  const groups: LocalityGroup[] = [];
  const placed = new Set<string>();
  const tallies = new Map<string, { readonly group: LocalityGroup; readonly tally: Tally }>();
  for (const [locality, endpoints] of byLocality(input)) {
    const group: LocalityGroup = { locality, endpoints: [], weight: 0 };
    groups.push(group);
    for (const endpoint of endpoints) {
      const placement = placeEndpoint(endpoint, input, table);
      const weight = Math.min(endpoint.weight * table.scale, MAX_WEIGHT);
      if (placement.kind === "direct") {
        const key = `${placement.address}_${placement.port}`;
        if (placed.has(key)) continue; // Envoy would keep only the first as well
        placed.add(key);
        group.endpoints.push(weightedEndpoint(endpoint, placement, weight));
        group.weight += weight;
      }
      if (placement.kind !== "gateway") continue;
      for (const gateway of placement.gateways)
        addToGateway(tallies, group, gateway, weight / placement.gateways.length);
    }
  }
  for (const { group, tally } of [...tallies.values()].sort(byAddress)) {
    const weight = Math.min(Math.max(1, Math.floor(tally.weight)), MAX_WEIGHT);
    group.endpoints.push(encodeGatewayEndpoint(tally.gateway, weight));
    group.weight += weight;
  }
  return encodeAssignment(
    input.clusterName,
    groups.filter(({ endpoints }) => endpoints.length > 0),
  );
}

/** Why endpoints of the service are not offered, for debug pages. */
export function explainEndpoints(input: EndpointInput): readonly WhyNot[] {
  const table = gatewayTable(input.gateways);
  return [...input.shards.values()].flat().flatMap((endpoint) => {
    const placement = placeEndpoint(endpoint, input, table);
    if (placement.kind !== "withheld") return [];
    const { reason } = placement;
    return [{ reason, subject: subjectOf(endpoint), message: SENTENCES[reason]?.(endpoint, input) ?? reason }];
  });
}

/**
 * Adds weight to a gateway. It stands in the first locality that needs it and takes the weight of all: Envoy keeps only
 * the first of endpoints with equal addresses, so that repeating it in each locality, as Istio does, loses weight.
 */
function addToGateway(
  tallies: Map<string, { readonly group: LocalityGroup; readonly tally: Tally }>,
  group: LocalityGroup,
  gateway: NetworkGateway,
  weight: number,
): void {
  const key = `${gateway.address}_${gateway.port}`;
  const known = tallies.get(key);
  if (known === undefined) tallies.set(key, { group, tally: { gateway, weight } });
  else known.tally.weight += weight;
}

function byAddress(a: { readonly tally: Tally }, b: { readonly tally: Tally }): number {
  const [left, right] = [a.tally.gateway, b.tally.gateway];
  if (left.address !== right.address) return left.address < right.address ? -1 : 1;
  return left.port - right.port;
}

/** Localities in order of their names, so that equal endpoints give equal bytes. */
function byLocality({ shards }: EndpointInput): readonly (readonly [string, readonly Endpoint[]])[] {
  const groups = new Map<string, Endpoint[]>();
  for (const shard of shards.values()) {
    for (const endpoint of shard) {
      const group = groups.get(endpoint.locality);
      if (group === undefined) groups.set(endpoint.locality, [endpoint]);
      else group.push(endpoint);
    }
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

function subjectOf(endpoint: Endpoint): string {
  const name = endpoint.pod === "" ? endpoint.addresses[0] : `${endpoint.namespace}/${endpoint.pod}`;
  return `${name} in ${endpoint.cluster}`;
}

const SENTENCES: Readonly<Partial<Record<WhyNot["reason"], (endpoint: Endpoint, input: EndpointInput) => string>>> = {
  "no-gateway-for-network": ({ network }) => `network ${network} has no usable gateway yet`,
  "no-gateway-address-family": ({ network }) =>
    `no gateway of network ${network} has an address of the client's family`,
  "no-mtls-across-networks": () => "it takes no mesh mTLS, and only that crosses networks (is it injected?)",
  "not-in-network-view": ({ network }) => `the client does not ask for network ${network}`,
  "not-ready": () => "its pod is not ready",
  draining: () => "its pod is terminating",
  "port-name-absent": (_endpoint, { portName }) => `it has no port named "${portName}"`,
  "no-address-family": () => "it has no address of the client's family",
  "cluster-local": ({ cluster }) => `the service is local to each cluster, and it is in ${cluster}`,
  "node-local": ({ node }) => `the service is local to each node, and it is on ${node}`,
  "subset-mismatch": (_endpoint, { subset }) => `its labels are not those of subset ${subset?.name ?? ""}`,
};
