// The rules of a node. Routes alone do not part two networks: a peer on the outer segment may add a route to a pod or
// service range via a node, and the node would forward. These chains refuse it, at once.
// They refuse or return, and never accept: what other chains decide still counts.
import { type ClusterLayout, INNER_INTERFACE, OUTER_INTERFACE, type PlaygroundLayout } from "./layout.ts";

/** Where ranges lead that no pod of the node may reach: never out of the node, rules or not. */
export const SINK_INTERFACE = "lo";

/** Text for `iptables-restore --noflush`. */
export function nodeFirewall(layout: PlaygroundLayout, cluster: ClusterLayout): string {
  return [
    "*filter",
    ...chain("INPUT", [`-i ${OUTER_INTERFACE} -m conntrack ! --ctorigdst ${layout.outer.cidr}`].flatMap(refuse)),
    ...chain("FORWARD", forwardRules(layout, cluster)),
    ...chain(
      "OUTPUT",
      [
        // A service address without a rule of its own would be asked for on the outer segment, in vain.
        `-o ${OUTER_INTERFACE} -d ${cluster.serviceCIDR}`,
        ...sinkRanges(layout, cluster).map((range) => `-o ${SINK_INTERFACE} -d ${range}`),
      ].flatMap(refuse),
    ),
    "COMMIT",
    "*nat",
    ...chain("POSTROUTING", [`-s ${cluster.podCIDR} -o ${OUTER_INTERFACE} -j MASQUERADE`]),
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

function forwardRules(layout: PlaygroundLayout, cluster: ClusterLayout): readonly string[] {
  const outer = layout.outer.cidr;
  const rules = [
    ...refuse(`-o ${SINK_INTERFACE}`),
    // Pods leave a node for the outer segment only.
    ...refuse(`-o ${OUTER_INTERFACE} ! -d ${outer}`),
    // Before any DNAT the packet must have been for the outer segment: no service address from outside either.
    ...refuse(`-i ${OUTER_INTERFACE} -m conntrack ! --ctorigdst ${outer}`),
    `-i ${OUTER_INTERFACE} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN`,
    ...refuse(`-i ${OUTER_INTERFACE} -m conntrack ! --ctstate DNAT`),
    // A LoadBalancer address is served by this node's pods; nothing is passed on to a neighbour.
    ...refuse(`-i ${OUTER_INTERFACE} ! -d ${cluster.podCIDR}`),
  ];
  if (cluster.inner === undefined) return rules;
  return [
    ...rules,
    ...refuse(`-i ${INNER_INTERFACE} ! -d ${cluster.podCIDR}`),
    ...refuse(`-o ${INNER_INTERFACE} ! -s ${cluster.podCIDR}`),
  ];
}

/**
 * A reset for TCP, as it is heard at once: an ICMP answer that comes while connect(2) still holds its socket counts as a
 * passing trouble, and the caller would wait a second for the next SYN. On one machine it always comes that early.
 */
function refuse(match: string): string[] {
  return [`-p tcp ${match} -j REJECT --reject-with tcp-reset`, `${match} -j REJECT --reject-with icmp-net-unreachable`];
}

/** IPv6 crosses no node: pods may speak it inside their cluster only. */
export function nodeFirewall6(): string {
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
