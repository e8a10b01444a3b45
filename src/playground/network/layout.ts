// Every address and every name of a playground, worked out before anything is made.
import { createHash } from "node:crypto";
import { addressAt, type Cidr, formatCidr, parseCidr } from "#base/ipv4-range";
import type { Topology, TopologyCluster } from "./topology.ts";

/** Where one cluster sits. Namespaces are names below /run/netns inside the playground's own mount namespace. */
export interface ClusterLayout extends TopologyCluster {
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

/** How a node hangs on the segment that the clusters of one network share. */
export interface InnerAttachment {
  readonly namespace: string;
  readonly port: string;
  readonly address: string;
  readonly prefix: number;
  readonly peers: readonly { readonly podCIDR: string; readonly via: string }[];
}

export interface PlaygroundLayout {
  readonly outer: {
    readonly cidr: string;
    readonly prefix: number;
    readonly namespace: string;
    /** In the host's own namespace, at most 15 characters. */
    readonly hostInterface: string;
    readonly hostAddress: string;
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
    },
    clusters: topology.clusters.map((cluster, index) => {
      const service = parseCidr(cluster.serviceCIDR) ?? outer;
      const firstLoadBalancer = FIRST_LOAD_BALANCER + index * LOAD_BALANCER_ADDRESSES;
      const inner = innerAttachment(topology, networks.indexOf(cluster.network), index);
      return {
        ...cluster,
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

/** Link-local addresses: they mean nothing outside their segment, and every network may use the same. */
function innerAttachment(topology: Topology, network: number, index: number): InnerAttachment | undefined {
  const own = topology.clusters[index];
  if (own === undefined) return undefined;
  const address = (cluster: number) => `169.254.${16 + network}.${cluster + 1}`;
  const peers = topology.clusters.flatMap((cluster, other) =>
    other !== index && cluster.network === own.network ? [{ podCIDR: cluster.podCIDR, via: address(other) }] : [],
  );
  if (peers.length === 0) return undefined;
  return {
    namespace: `net-${own.network}`,
    port: `n${index + 1}`,
    address: address(index),
    prefix: INNER_PREFIX,
    peers,
  };
}
