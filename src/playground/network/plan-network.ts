// The whole network as data: which namespaces, links, routes, settings and rules, in which order.
import { nodeFirewall, nodeFirewall6, SINK_INTERFACE, sinkRanges } from "./firewall.ts";
import { type ClusterLayout, INNER_INTERFACE, OUTER_INTERFACE, type PlaygroundLayout } from "./layout.ts";

/** What is done inside one namespace, in this order; `namespace` absent means the host's own. */
export interface NetworkStep {
  readonly namespace?: string;
  /** Lines for `ip -batch`. */
  readonly ip?: readonly string[];
  /** Files below /proc/sys and their values. */
  readonly sysctl?: readonly (readonly [name: string, value: string])[];
  /** Text for iptables-restore and ip6tables-restore. */
  readonly firewall?: string;
  readonly firewall6?: string;
}

/** Stages follow each other; the steps of a stage touch different namespaces and may run together. */
export type NetworkPlan = readonly (readonly NetworkStep[])[];

const BRIDGE = "br0";
const ADD_BRIDGE = [
  "link set lo up",
  `link add ${BRIDGE} address 02:00:00:00:00:01 type bridge stp_state 0 forward_delay 0`,
  `link set ${BRIDGE} addrgenmode none up`,
];

export interface PlanOptions {
  /** False leaves out everything that needs IPv6 in the kernel. */
  readonly ipv6: boolean;
  /** The host itself speaks IPv6: its interfaces may have such addresses. */
  readonly hostIpv6?: boolean;
}

/** Pure. */
export function planNetwork(layout: PlaygroundLayout, options: PlanOptions): NetworkPlan {
  const { outer, clusters } = layout;
  const inner = [...new Set(clusters.flatMap((cluster) => cluster.inner?.namespace ?? []))];
  const namespaces = [outer.namespace, ...inner, ...clusters.map((cluster) => cluster.namespace)];
  return [
    [
      {
        ip: [
          ...namespaces.map((name) => `netns add ${name}`),
          `link add ${outer.hostInterface} type veth peer name host netns ${outer.namespace}`,
          `link set ${outer.hostInterface} addrgenmode none`,
          `addr add ${outer.hostAddress}/${outer.prefix} dev ${outer.hostInterface}`,
          ...hostAddress6(layout, options.hostIpv6),
          `link set ${outer.hostInterface} up`,
        ],
      },
    ],
    [
      {
        namespace: outer.namespace,
        ip: [...ADD_BRIDGE, ...addPort("host"), ...clusters.flatMap((c) => addNode(c, c.outerPort, OUTER_INTERFACE))],
      },
      ...inner.map((namespace) => ({ namespace, ip: [...ADD_BRIDGE, ...innerPorts(clusters, namespace)] })),
    ],
    clusters.map((cluster) => planNode(layout, cluster, options.ipv6)),
  ];
}

function hostAddress6({ outer: { ipv6, hostInterface } }: PlaygroundLayout, hostIpv6 = false): string[] {
  return ipv6 && hostIpv6 ? [`addr add ${ipv6.hostAddress}/${ipv6.prefix} dev ${hostInterface} nodad`] : [];
}

function innerPorts(clusters: readonly ClusterLayout[], namespace: string): string[] {
  return clusters.flatMap((cluster) =>
    cluster.inner?.namespace === namespace ? addNode(cluster, cluster.inner.port, INNER_INTERFACE) : [],
  );
}

function addNode(cluster: ClusterLayout, port: string, device: string): string[] {
  return [`link add ${port} type veth peer name ${device} netns ${cluster.namespace}`, ...addPort(port)];
}

function addPort(port: string): string[] {
  return [`link set ${port} master ${BRIDGE} addrgenmode none up`];
}

const IPV6_SETTINGS = [
  ["net/ipv6/conf/all/forwarding", "1"],
  ["net/ipv6/icmp/ratelimit", "0"],
] as const;

function planNode(layout: PlaygroundLayout, cluster: ClusterLayout, ipv6: boolean): NetworkStep {
  const { namespace, inner } = cluster;
  return {
    namespace,
    sysctl: [
      ["net/ipv4/ip_forward", "1"],
      ["net/ipv4/conf/all/rp_filter", "1"],
      // A refused pod must hear of it every time, not six times a burst.
      ["net/ipv4/icmp_ratelimit", "0"],
      ...(ipv6 ? IPV6_SETTINGS : []),
    ],
    ip: [
      "link set lo up",
      `link set ${OUTER_INTERFACE} addrgenmode none`,
      `addr add ${cluster.address}/${layout.outer.prefix} dev ${OUTER_INTERFACE}`,
      `link set ${OUTER_INTERFACE} up`,
      ...sinkRanges(layout, cluster).map((range) => `route add ${range} dev ${SINK_INTERFACE}`),
      // The kernel looks a route up before nat OUTPUT: without one a service is out of the node's own reach.
      `route add ${cluster.serviceCIDR} dev ${OUTER_INTERFACE} src ${cluster.address}`,
      ...(inner === undefined ? [] : innerRoutes(inner)),
      ...(ipv6 ? routes6(layout, cluster) : []),
      ...(ipv6 ? ["route add unreachable ::/0 metric 4294967295"] : []),
    ],
    firewall: nodeFirewall(layout, cluster),
    ...(ipv6 ? { firewall6: nodeFirewall6(layout, cluster) } : {}),
  };
}

/** Where a link has no address of its own making, a neighbour cannot be asked for: each gets a link-local one. */
function routes6(layout: PlaygroundLayout, { ipv6, inner, address }: ClusterLayout): string[] {
  if (ipv6 === undefined || layout.outer.ipv6 === undefined) return [];
  const peers = (inner?.peers ?? []).flatMap((peer) => peer.ipv6 ?? []);
  const host = address.split(".").at(-1) ?? "1";
  return [
    `addr add fe80::${host}/64 dev ${OUTER_INTERFACE} nodad`,
    `addr add ${ipv6.address}/${layout.outer.ipv6.prefix} dev ${OUTER_INTERFACE} nodad`,
    `route add ${ipv6.serviceCIDR} dev ${OUTER_INTERFACE} src ${ipv6.address}`,
    ...(inner === undefined ? [] : [`addr add ${inner.ipv6Address}/64 dev ${INNER_INTERFACE} nodad`]),
    ...peers.map((peer) => `route add ${peer.podCIDR} via ${peer.via} dev ${INNER_INTERFACE}`),
  ];
}

function innerRoutes(inner: NonNullable<ClusterLayout["inner"]>): string[] {
  return [
    `link set ${INNER_INTERFACE} addrgenmode none`,
    `addr add ${inner.address}/${inner.prefix} dev ${INNER_INTERFACE}`,
    `link set ${INNER_INTERFACE} up`,
    ...inner.peers.map((peer) => `route add ${peer.podCIDR} via ${peer.via} dev ${INNER_INTERFACE}`),
  ];
}
