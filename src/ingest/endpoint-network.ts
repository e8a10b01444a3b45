// The network of an endpoint: the pod's own word, else its cluster's, else what meshNetworks says of the address.
import { BlockList, isIPv6 } from "node:net";
import { LABELS } from "#api/constants/labels";
import type { MeshNetworks } from "#api/mesh-config/mesh-networks";
import { type ClusterId, type NetworkId, networkId } from "#model/ids";

export interface NetworkContext {
  readonly cluster: ClusterId;
  /** Label topology.istio.io/network of the cluster's system namespace, "" when absent. */
  readonly clusterNetwork: string;
  readonly meshNetworks: MeshNetworks;
}

export function networkOfEndpoint(
  address: string,
  podLabels: Readonly<Record<string, string>>,
  context: NetworkContext,
): NetworkId {
  const named = podLabels[LABELS.network] || context.clusterNetwork;
  if (named) return networkId(named);
  const { meshNetworks, cluster } = context;
  const found =
    meshNetworks.find((network) => network.fromRegistries.includes(cluster)) ??
    meshNetworks.find((network) => network.fromCidrs.some((cidr) => contains(cidr, address)));
  return networkId(found?.network ?? "");
}

function contains(cidr: string, address: string): boolean {
  const [prefix = "", bits = ""] = cidr.split("/");
  const list = new BlockList();
  try {
    list.addSubnet(prefix, Number(bits), isIPv6(prefix) ? "ipv6" : "ipv4");
  } catch {
    return false; // a malformed CIDR holds no address; it was reported when meshNetworks was read
  }
  return list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
}
