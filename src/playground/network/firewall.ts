// The rules of a node. Routes alone do not part two networks: a peer on the outer segment may add a route to a pod or
// service range via a node, and the node would forward. These chains refuse it, at once, with an ICMP answer.
// They refuse or return, and never accept: what other chains decide still counts.
import type { ClusterLayout, PlaygroundLayout } from "./layout.ts";
import { INNER_INTERFACE, OUTER_INTERFACE } from "./layout.ts";

const REJECT = "-j REJECT --reject-with icmp-net-unreachable";
const REJECT6 = "-j REJECT --reject-with icmp6-no-route";

/** Text for `iptables-restore --noflush`. */
export function nodeFirewall(layout: PlaygroundLayout, cluster: ClusterLayout): string {
  return [
    "*filter",
    ...chain("INPUT", [`-i ${OUTER_INTERFACE} -m conntrack ! --ctorigdst ${layout.outer.cidr} ${REJECT}`]),
    ...chain("FORWARD", forwardRules(layout, cluster)),
    // A service address without a rule of its own would be asked for on the outer segment, in vain.
    ...chain("OUTPUT", [`-o ${OUTER_INTERFACE} -d ${cluster.serviceCIDR} ${REJECT}`]),
    "COMMIT",
    "*nat",
    ...chain("POSTROUTING", [`-s ${cluster.podCIDR} -o ${OUTER_INTERFACE} -j MASQUERADE`]),
    "COMMIT",
    "",
  ].join("\n");
}

function forwardRules(layout: PlaygroundLayout, cluster: ClusterLayout): readonly string[] {
  const outer = layout.outer.cidr;
  const rules = [
    // Pods leave a node for the outer segment only.
    `-o ${OUTER_INTERFACE} ! -d ${outer} ${REJECT}`,
    // Before any DNAT the packet must have been for the outer segment: no service address from outside either.
    `-i ${OUTER_INTERFACE} -m conntrack ! --ctorigdst ${outer} ${REJECT}`,
    `-i ${OUTER_INTERFACE} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN`,
    `-i ${OUTER_INTERFACE} -m conntrack ! --ctstate DNAT ${REJECT}`,
    // A LoadBalancer address is served by this node's pods; nothing is passed on to a neighbour.
    `-i ${OUTER_INTERFACE} ! -d ${cluster.podCIDR} ${REJECT}`,
  ];
  if (cluster.inner === undefined) return rules;
  return [
    ...rules,
    `-i ${INNER_INTERFACE} ! -d ${cluster.podCIDR} ${REJECT}`,
    `-o ${INNER_INTERFACE} ! -s ${cluster.podCIDR} ${REJECT}`,
  ];
}

/** IPv6 crosses no node: pods may speak it inside their cluster only. */
export function nodeFirewall6(): string {
  return [
    "*filter",
    ...chain("INPUT", [`-i ${OUTER_INTERFACE} ${REJECT6}`]),
    ...chain("FORWARD", [`-i ${OUTER_INTERFACE} ${REJECT6}`, `-o ${OUTER_INTERFACE} ${REJECT6}`]),
    "COMMIT",
    "",
  ].join("\n");
}

function chain(builtIn: string, rules: readonly string[]): string[] {
  const name = `ISTHMUS-${builtIn}`;
  return [`:${name} - [0:0]`, `-I ${builtIn} 1 -j ${name}`, ...rules.map((rule) => `-A ${name} ${rule}`)];
}
