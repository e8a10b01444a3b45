// Services as iptables rules. One chain a service port chooses among the chains of its endpoints, each of which
// rewrites the destination. Established connections keep their rewriting in the kernel, so no rule change breaks them.
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { contentHash } from "#base/content-hash";
import type { NodeProcessConfig } from "../process-config.ts";
import { NOTHING_INSTALLED, renderRestore, type TableRules } from "./iptables-rules.ts";
import { loadBalancerAddresses, type ServicePortFacts, servicePorts } from "./service-ports.ts";

export const CHAIN_PREFIX = "ISTHMUS-";
const SERVICES = `${CHAIN_PREFIX}SERVICES`;
const POSTROUTING = `${CHAIN_PREFIX}POSTROUTING`;
const REJECT = `${CHAIN_PREFIX}REJECT`;
/** Set on a connection that a pod makes to itself through a Service: without a new source the answer would not come back. */
const HAIRPIN_MARK = "0x8000";

export type ServiceRulesConfig = Pick<NodeProcessConfig, "address" | "serviceCIDR" | "dnsAddress">;

/** The full rule set as input for `iptables-restore --noflush`, on a node that has none of it yet. */
export function renderServiceRules(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  config: ServiceRulesConfig,
): string {
  return renderRestore(buildServiceRules(services, slices, config), NOTHING_INSTALLED);
}

export function buildServiceRules(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  config: ServiceRulesConfig,
): TableRules[] {
  const ports = servicePorts(services, slices);
  return [natTable(ports, config), filterTable(ports, loadBalancerAddresses(services), config)];
}

function natTable(ports: readonly ServicePortFacts[], config: ServiceRulesConfig): TableRules {
  const served = ports.filter(({ endpoints }) => endpoints.length > 0);
  const entries = served.flatMap((port) => entryRules(port));
  // Last: an address of a Service wins over the node's own ports.
  const nodePorts = served.flatMap((port) => nodePortRules(port, config.address));
  const chains = new Map<string, readonly string[]>([
    [SERVICES, [...entries, ...nodePorts]],
    [POSTROUTING, [`-m mark --mark ${HAIRPIN_MARK}/${HAIRPIN_MARK} -j MASQUERADE`]],
  ]);
  for (const port of served) {
    chains.set(serviceChain(port), choiceRules(port));
    for (const endpoint of port.endpoints) chains.set(endpointChain(port, endpoint), endpointRules(port, endpoint));
  }
  const hooks = [
    { from: "PREROUTING", to: SERVICES },
    { from: "OUTPUT", to: SERVICES },
    { from: "POSTROUTING", to: POSTROUTING },
  ];
  return { table: "nat", chains, hooks };
}

function entryRules(port: ServicePortFacts): string[] {
  const open = [...port.clusterIPs, ...port.externalIPs].map((address) => ["", address]);
  const ranges = port.sourceRanges.length === 0 ? [""] : port.sourceRanges.map((range) => `-s ${range} `);
  const guarded = port.loadBalancerIPs.flatMap((address) => ranges.map((range) => [range, address]));
  return [...open, ...guarded].map(
    ([from, address]) => `${from}-d ${address}/32 ${matchPort(port)} ${comment(port)} -j ${serviceChain(port)}`,
  );
}

function nodePortRules(port: ServicePortFacts, address: string): string[] {
  if (port.nodePort === undefined) return [];
  const match = matchPort({ protocol: port.protocol, port: port.nodePort });
  return [`-d ${address}/32 ${match} ${comment(port)} -j ${serviceChain(port)}`];
}

/** Each endpoint gets its equal share: of those left, one in n. A client with affinity goes where it was. */
function choiceRules(port: ServicePortFacts): string[] {
  const { endpoints, affinitySeconds } = port;
  const sticky =
    affinitySeconds === undefined
      ? []
      : endpoints.map((endpoint) => {
          const chain = endpointChain(port, endpoint);
          return `-m recent --name ${chain} --rcheck --seconds ${affinitySeconds} --reap --rsource -j ${chain}`;
        });
  const shares = endpoints.map((endpoint, index) => {
    const left = endpoints.length - index;
    const chance = left === 1 ? "" : `-m statistic --mode random --probability ${(1 / left).toFixed(10)} `;
    return `${chance}-j ${endpointChain(port, endpoint)}`;
  });
  return [...sticky, ...shares];
}

function endpointRules(port: ServicePortFacts, endpoint: string): string[] {
  const address = endpoint.slice(0, endpoint.lastIndexOf(":"));
  const remember =
    port.affinitySeconds === undefined ? "" : `-m recent --name ${endpointChain(port, endpoint)} --set --rsource `;
  return [
    `-s ${address}/32 -j MARK --or-mark ${HAIRPIN_MARK}`,
    `-p ${port.protocol} ${remember}-j DNAT --to-destination ${endpoint}`,
  ];
}

/** Whatever reaches these chains was rewritten by no rule: it is for a Service without endpoints, or for none. */
function filterTable(
  ports: readonly ServicePortFacts[],
  loadBalancerIPs: readonly string[],
  config: ServiceRulesConfig,
): TableRules {
  const dead = ports.filter(({ endpoints }) => endpoints.length === 0);
  const rules = [
    `-d ${config.dnsAddress}/32 -j RETURN`,
    ...[config.serviceCIDR, ...loadBalancerIPs.map((address) => `${address}/32`)].flatMap((target) => [
      `-d ${target} -p tcp -j REJECT --reject-with tcp-reset`,
      `-d ${target} -p udp -j REJECT`,
    ]),
    ...dead.flatMap((port) =>
      port.externalIPs.map((address) => `-d ${address}/32 ${matchPort(port)} ${comment(port)} -j REJECT`),
    ),
  ];
  const hooks = ["INPUT", "FORWARD", "OUTPUT"].map((from) => ({ from, to: REJECT }));
  return { table: "filter", chains: new Map([[REJECT, rules]]), hooks };
}

function matchPort({ protocol, port }: Pick<ServicePortFacts, "protocol" | "port">): string {
  return `-p ${protocol} -m ${protocol} --dport ${port}`;
}

function comment({ id }: ServicePortFacts): string {
  return `-m comment --comment "${id.replace(/[^\w./:-]/g, "_")}"`;
}

/** iptables allows 28 characters. */
function serviceChain({ id }: ServicePortFacts): string {
  return `${CHAIN_PREFIX}SVC-${contentHash(id)}`;
}

function endpointChain({ id }: ServicePortFacts, endpoint: string): string {
  return `${CHAIN_PREFIX}SEP-${contentHash(`${id} ${endpoint}`)}`;
}
