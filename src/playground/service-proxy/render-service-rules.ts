// Services as iptables rules. One chain a service port chooses among the chains of its endpoints, each of which
// rewrites the destination. Established connections keep their rewriting in the kernel, so no rule change breaks them.
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { contentHash } from "#base/content-hash";
import type { NodeProcessConfig } from "../process-config.ts";
import { NOTHING_INSTALLED, renderRestore, type TableRules } from "./iptables-rules.ts";
import { type IpFamily, loadBalancerAddresses, type ServicePortFacts, servicePorts } from "./service-ports.ts";

export const CHAIN_PREFIX = "ISTHMUS-";
const SERVICES = `${CHAIN_PREFIX}SERVICES`;
const POSTROUTING = `${CHAIN_PREFIX}POSTROUTING`;
const REJECT = `${CHAIN_PREFIX}REJECT`;
/** Set on a connection that a pod makes to itself through a Service: without a new source the answer would not come back. */
const HAIRPIN_MARK = "0x8000";

/** Addresses are of the family whose rules are built: IPv4 unless told. */
export interface ServiceRulesConfig extends Pick<NodeProcessConfig, "address" | "serviceCIDR" | "dnsAddress"> {
  readonly nodeName?: string;
  readonly family?: IpFamily;
}

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
  const ports = servicePorts(services, slices, config);
  return [natTable(ports, config), filterTable(ports, loadBalancerAddresses(services, config.family), config)];
}

function natTable(ports: readonly ServicePortFacts[], config: ServiceRulesConfig): TableRules {
  const entries = ports.flatMap((port) => entryRules(port));
  // Last: an address of a Service wins over the node's own ports.
  const nodePorts = ports.flatMap((port) => nodePortRules(port, config.address));
  const chains = new Map<string, readonly string[]>([
    [SERVICES, [...entries, ...nodePorts]],
    [POSTROUTING, [`-m mark --mark ${HAIRPIN_MARK}/${HAIRPIN_MARK} -j MASQUERADE`]],
  ]);
  for (const port of ports) {
    const { endpoints, externalEndpoints } = port;
    if (endpoints.length > 0) chains.set(serviceChain(port), choiceRules(port, endpoints));
    if (differsOutside(port) && externalEndpoints.length > 0) {
      chains.set(externalChain(port), choiceRules(port, externalEndpoints));
    }
    for (const endpoint of new Set([...endpoints, ...externalEndpoints])) {
      chains.set(endpointChain(port, endpoint), endpointRules(port, endpoint));
    }
  }
  const hooks = [
    { from: "PREROUTING", to: SERVICES },
    { from: "OUTPUT", to: SERVICES },
    { from: "POSTROUTING", to: POSTROUTING },
  ];
  return { table: "nat", chains, hooks };
}

/** A traffic policy keeps calls from outside, or from inside, on endpoints of this node. */
function differsOutside({ endpoints, externalEndpoints }: ServicePortFacts): boolean {
  return endpoints.join() !== externalEndpoints.join();
}

/** Where calls from outside go; undefined when there is nothing to bring them to. */
function outsideChain(port: ServicePortFacts): string | undefined {
  if (port.externalEndpoints.length === 0) return undefined;
  return differsOutside(port) ? externalChain(port) : serviceChain(port);
}

function entryRules(port: ServicePortFacts): string[] {
  const inside = port.endpoints.length > 0 ? serviceChain(port) : undefined;
  const outside = outsideChain(port);
  const ranges = port.sourceRanges.length === 0 ? [""] : port.sourceRanges.map((range) => `-s ${range} `);
  const rule = (from: string, address: string, chain: string | undefined) =>
    chain === undefined ? [] : [`${from}-d ${host(address)} ${matchPort(port)} ${comment(port)} -j ${chain}`];
  return [
    ...port.clusterIPs.flatMap((address) => rule("", address, inside)),
    ...port.externalIPs.flatMap((address) => rule("", address, outside)),
    ...port.loadBalancerIPs.flatMap((address) => ranges.flatMap((range) => rule(range, address, outside))),
  ];
}

function nodePortRules(port: ServicePortFacts, address: string): string[] {
  const chain = outsideChain(port);
  if (port.nodePort === undefined || chain === undefined || address === "") return [];
  const match = matchPort({ protocol: port.protocol, port: port.nodePort });
  return [`-d ${host(address)} ${match} ${comment(port)} -j ${chain}`];
}

/** One address as a range of its own. */
function host(address: string): string {
  return address.includes(":") ? `${address}/128` : `${address}/32`;
}

/** Each endpoint gets its equal share: of those left, one in n. A client with affinity goes where it was. */
function choiceRules(port: ServicePortFacts, endpoints: readonly string[]): string[] {
  const { affinitySeconds } = port;
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
  const address = endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[|\]$/g, "");
  const remember =
    port.affinitySeconds === undefined ? "" : `-m recent --name ${endpointChain(port, endpoint)} --set --rsource `;
  return [
    `-s ${host(address)} -j MARK --or-mark ${HAIRPIN_MARK}`,
    `-p ${port.protocol} ${remember}-j DNAT --to-destination ${endpoint}`,
  ];
}

/** Whatever reaches these chains was rewritten by no rule: it is for a Service without endpoints, or for none. */
function filterTable(
  ports: readonly ServicePortFacts[],
  loadBalancerIPs: readonly string[],
  config: ServiceRulesConfig,
): TableRules {
  const dead = ports.filter(({ externalEndpoints }) => externalEndpoints.length === 0);
  const rules = [
    ...(config.dnsAddress === "" ? [] : [`-d ${host(config.dnsAddress)} -j RETURN`]),
    ...[config.serviceCIDR, ...loadBalancerIPs.map(host)].flatMap((target) => [
      `-d ${target} -p tcp -j REJECT --reject-with tcp-reset`,
      `-d ${target} -p udp -j REJECT`,
    ]),
    ...dead.flatMap((port) =>
      port.externalIPs.map((address) => `-d ${host(address)} ${matchPort(port)} ${comment(port)} -j REJECT`),
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

function externalChain({ id }: ServicePortFacts): string {
  return `${CHAIN_PREFIX}EXT-${contentHash(id)}`;
}

function endpointChain({ id }: ServicePortFacts, endpoint: string): string {
  return `${CHAIN_PREFIX}SEP-${contentHash(`${id} ${endpoint}`)}`;
}
