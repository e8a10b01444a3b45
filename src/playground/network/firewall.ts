// The rules of a node. Routes alone do not part two networks: a peer on the outer segment may add a route to a pod or
// service range via a node, and the node would forward. These chains refuse it, at once.
// They refuse or return, and never accept: what other chains decide still counts.
import { type ClusterLayout, INNER_INTERFACE, OUTER_INTERFACE, type PlaygroundLayout } from "./layout.ts";

/** Where ranges lead that no pod of the node may reach: never out of the node, rules or not. */
export const SINK_INTERFACE = "lo";

/** What the rules of one family speak of. */
interface Family {
  readonly outer: string;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** What no rule may refuse on the outer segment. */
  readonly always: readonly string[];
  /** How a neighbour that is not TCP hears that there is no way. */
  readonly unreachable: string;
}

/** Neighbours find each other by these; IPv4 has ARP for it, which no rule sees. */
const NEIGHBOURS = ["135", "136"].map((type) => `-p ipv6-icmp --icmpv6-type ${type} -j RETURN`);

/** Text for `iptables-restore --noflush`. */
export function nodeFirewall(layout: PlaygroundLayout, cluster: ClusterLayout): string {
  const unreachable = "icmp-net-unreachable";
  const family: Family = { ...cluster, outer: layout.outer.cidr, always: [], unreachable };
  return render(family, cluster, sinkRanges(layout, cluster));
}

/** Text for `ip6tables-restore --noflush`: of a cluster without IPv6, pods may speak it inside of their cluster only. */
export function nodeFirewall6(layout: PlaygroundLayout, cluster: ClusterLayout): string {
  const { ipv6 } = cluster;
  if (ipv6 === undefined || layout.outer.ipv6 === undefined) return noOuter6();
  const family = { ...ipv6, outer: layout.outer.ipv6.cidr, always: NEIGHBOURS, unreachable: "icmp6-no-route" };
  // What leads nowhere has no route: of IPv6 the kernel itself says so.
  return render(family, cluster, []);
}

function render(family: Family, cluster: ClusterLayout, sinks: readonly string[]): string {
  const refused = (matches: readonly string[]) => matches.flatMap((match) => refuse(match, family));
  const input = refused([`-i ${OUTER_INTERFACE} -m conntrack ! --ctorigdst ${family.outer}`]);
  return [
    "*filter",
    ...chain("INPUT", [...family.always, ...input]),
    ...chain("FORWARD", forwardRules(family, cluster, sinks)),
    ...chain(
      "OUTPUT",
      refused([
        // A service address without a rule of its own would be asked for on the outer segment, in vain.
        `-o ${OUTER_INTERFACE} -d ${family.serviceCIDR}`,
        ...sinks.map((range) => `-o ${SINK_INTERFACE} -d ${range}`),
      ]),
    ),
    "COMMIT",
    "*nat",
    ...chain("POSTROUTING", [`-s ${family.podCIDR} -o ${OUTER_INTERFACE} -j MASQUERADE`]),
    "COMMIT",
    "",
  ].join("\n");
}

/** Pod ranges (the node's own, of which each pod takes an address out) and service ranges that lead nowhere from here. */
export function sinkRanges(layout: PlaygroundLayout, cluster: ClusterLayout): readonly string[] {
  const all = layout.clusters.flatMap((other) => [other.podCIDR, other.serviceCIDR]);
  const reachable = [cluster.serviceCIDR, ...(cluster.inner?.peers ?? []).map((peer) => peer.podCIDR)];
  return [...new Set(all)].filter((range) => !reachable.includes(range));
}

function forwardRules(family: Family, cluster: ClusterLayout, sinks: readonly string[]): readonly string[] {
  const { outer, podCIDR } = family;
  const refused = (match: string) => refuse(match, family);
  const rules = [
    ...(sinks.length === 0 ? [] : refused(`-o ${SINK_INTERFACE}`)),
    // Pods leave a node for the outer segment only.
    ...refused(`-o ${OUTER_INTERFACE} ! -d ${outer}`),
    // Before any DNAT the packet must have been for the outer segment: no service address from outside either.
    ...refused(`-i ${OUTER_INTERFACE} -m conntrack ! --ctorigdst ${outer}`),
    `-i ${OUTER_INTERFACE} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN`,
    ...refused(`-i ${OUTER_INTERFACE} -m conntrack ! --ctstate DNAT`),
    // A LoadBalancer address is served by this node's pods; nothing is passed on to a neighbour.
    ...refused(`-i ${OUTER_INTERFACE} ! -d ${podCIDR}`),
  ];
  if (cluster.inner === undefined) return rules;
  return [
    ...rules,
    ...refused(`-i ${INNER_INTERFACE} ! -d ${podCIDR}`),
    ...refused(`-o ${INNER_INTERFACE} ! -s ${podCIDR}`),
  ];
}

/**
 * A reset for TCP, as it is heard at once: an ICMP answer that comes while connect(2) still holds its socket counts as a
 * passing trouble, and the caller would wait a second for the next SYN. On one machine it always comes that early.
 */
function refuse(match: string, { unreachable }: Family): string[] {
  return [`-p tcp ${match} -j REJECT --reject-with tcp-reset`, `${match} -j REJECT --reject-with ${unreachable}`];
}

function noOuter6(): string {
  return [
    "*filter",
    ...chain("INPUT", [`-i ${OUTER_INTERFACE} -j REJECT`]),
    ...chain("FORWARD", [`-i ${OUTER_INTERFACE} -j REJECT`, `-o ${OUTER_INTERFACE} -j REJECT`]),
    "COMMIT",
    "",
  ].join("\n");
}

function chain(builtIn: string, rules: readonly string[]): string[] {
  const name = `PLAYGROUND-${builtIn}`;
  return [`:${name} - [0:0]`, `-I ${builtIn} 1 -j ${name}`, ...rules.map((rule) => `-A ${name} ${rule}`)];
}
