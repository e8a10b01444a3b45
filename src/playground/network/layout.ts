// Every address and every name of a playground, worked out before anything is made.
import { createHash } from "node:crypto";
import { addressAt, type Cidr, formatCidr, parseCidr } from "#base/ipv4-range";
import { formatIpv6Cidr, type Ipv6Cidr, ipv6AddressAt } from "#base/ipv6-range";
import { outerIpv6 } from "./outer-segment.ts";
import type { Topology, TopologyCluster } from "./topology.ts";

/** Where one cluster sits. Namespaces are names below /run/netns inside the playground's own mount namespace. */
export interface ClusterLayout extends TopologyCluster {
  readonly ipv6?: ClusterIpv6;
  readonly nodeName: string;
  /** Network namespace of the node. */
  readonly namespace: string;
  /** The node's address on the outer segment. */
  readonly address: string;
  /** The node's port on the outer bridge. */
  readonly outerPort: string;
  readonly loadBalancerRange: { readonly first: string; readonly last: string };
  /** First address of the service range: Service kubernetes.default. */
  readonly kubernetesServiceAddress: string;
  readonly dnsAddress: string;
  /** Prefix of what the node runtime makes, at most 8 characters. */
  readonly namePrefix: string;
  /** Present when the network has another cluster. */
  readonly inner?: InnerAttachment;
}

/** The same of a cluster with two families. */
export interface ClusterIpv6 {
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  readonly address: string;
  readonly loadBalancerRange: { readonly first: string; readonly last: string };
}

/** How a node hangs on the segment that the clusters of one network share. */
export interface InnerAttachment {
  readonly namespace: string;
  readonly port: string;
  readonly address: string;
  readonly prefix: number;
  /** Link-local too; `peers` with IPv6 are reached by theirs. */
  readonly ipv6Address: string;
  readonly peers: readonly InnerPeer[];
}

export interface InnerPeer {
  readonly podCIDR: string;
  readonly via: string;
  readonly ipv6?: { readonly podCIDR: string; readonly via: string };
}

export interface PlaygroundLayout {
  readonly outer: {
    readonly cidr: string;
    readonly prefix: number;
    readonly namespace: string;
    /** In the host's own namespace, at most 15 characters. */
    readonly hostInterface: string;
    readonly hostAddress: string;
    /** Present when a cluster has IPv6. */
    readonly ipv6?: { readonly cidr: string; readonly prefix: number; readonly hostAddress: string };
  };
  readonly clusters: readonly ClusterLayout[];
}

/** Offsets on the outer segment. */
const HOST = 1;
const FIRST_NODE = 11;
const FIRST_LOAD_BALANCER = 64;
const LOAD_BALANCER_ADDRESSES = 32;
/** Offsets in a service range, as in every Kubernetes. */
const KUBERNETES_SERVICE = 1;
const CLUSTER_DNS = 10;
const INNER_PREFIX = 24;
/** A cluster's part of the outer IPv6 segment: its number stands before the last 16 bits. */
const IPV6_PART = 0x1_0000;

/** Interface of the node on the outer segment, inside the node's namespace. */
export const OUTER_INTERFACE = "up0";
/** Interface of the node on the segment of its network, inside the node's namespace. */
export const INNER_INTERFACE = "in0";
export const API_SERVER_PORT = 6443;
export const KUBELET_PORT = 10250;

/** The name of the host's interface: unique for each state directory, and the same after a crash. */
export function hostInterfaceName(stateDir: string): string {
  return `isthmus-${createHash("sha256").update(stateDir).digest("hex").slice(0, 7)}`;
}

/** Pure: the same topology, outer range and state directory give the same layout. */
export function buildLayout(topology: Topology, outer: Cidr, stateDir: string): PlaygroundLayout {
  const networks = [...new Set(topology.clusters.map((cluster) => cluster.network))];
  return {
    outer: {
      cidr: formatCidr(outer),
      prefix: outer.prefix,
      namespace: "pub",
      hostInterface: hostInterfaceName(stateDir),
      hostAddress: addressAt(outer, HOST),
      ...(topology.clusters.some(({ ipv6 }) => ipv6 !== undefined) ? { ipv6: outerLayout6(outerIpv6(outer)) } : {}),
    },
    clusters: topology.clusters.map((cluster, index) => {
      const service = parseCidr(cluster.serviceCIDR) ?? outer;
      const firstLoadBalancer = FIRST_LOAD_BALANCER + index * LOAD_BALANCER_ADDRESSES;
      const inner = innerAttachment(topology, networks.indexOf(cluster.network), index);
      return {
        ...withoutIpv6(cluster),
        ...clusterIpv6(cluster, outerIpv6(outer), index),
        nodeName: `${cluster.name}-node`,
        namespace: `node-${cluster.name}`,
        address: addressAt(outer, FIRST_NODE + index),
        outerPort: `n${index + 1}`,
        loadBalancerRange: {
          first: addressAt(outer, firstLoadBalancer),
          // The broadcast address of a /24 must not be handed out.
          last: addressAt(outer, firstLoadBalancer + LOAD_BALANCER_ADDRESSES - 2),
        },
        kubernetesServiceAddress: addressAt(service, KUBERNETES_SERVICE),
        dnsAddress: addressAt(service, CLUSTER_DNS),
        namePrefix: `c${index + 1}-`,
        ...(inner === undefined ? {} : { inner }),
      };
    }),
  };
}

function outerLayout6(range: Ipv6Cidr) {
  return { cidr: formatIpv6Cidr(range), prefix: range.prefix, hostAddress: ipv6AddressAt(range, HOST) };
}

function withoutIpv6({ ipv6: _, ...rest }: TopologyCluster): Omit<TopologyCluster, "ipv6"> {
  return rest;
}

function clusterIpv6({ ipv6 }: TopologyCluster, outer: Ipv6Cidr, index: number): { ipv6?: ClusterIpv6 } {
  if (ipv6 === undefined) return {};
  const part = (index + 1) * IPV6_PART;
  const range = { first: ipv6AddressAt(outer, part + 1), last: ipv6AddressAt(outer, part + LOAD_BALANCER_ADDRESSES) };
  return { ipv6: { ...ipv6, address: ipv6AddressAt(outer, FIRST_NODE + index), loadBalancerRange: range } };
}

/** Link-local addresses: they mean nothing outside their segment, and every network may use the same. */
function innerAttachment(topology: Topology, network: number, index: number): InnerAttachment | undefined {
  const own = topology.clusters[index];
  if (own === undefined) return undefined;
  const address = (cluster: number) => `169.254.${16 + network}.${cluster + 1}`;
  const ipv6Address = (cluster: number) => `fe80::${(cluster + 1).toString(16)}`;
  const peers = topology.clusters.flatMap(({ podCIDR, network: theirs, ipv6 }, other): InnerPeer[] => {
    if (other === index || theirs !== own.network) return [];
    const sixth = ipv6 && { ipv6: { podCIDR: ipv6.podCIDR, via: ipv6Address(other) } };
    return [{ podCIDR, via: address(other), ...sixth }];
  });
  if (peers.length === 0) return undefined;
  return {
    namespace: `net-${own.network}`,
    port: `n${index + 1}`,
    address: address(index),
    prefix: INNER_PREFIX,
    ipv6Address: ipv6Address(index),
    peers,
  };
}
