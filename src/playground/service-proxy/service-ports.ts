// Each port of each Service, with the addresses it is reached by and the endpoints that answer now: all that a rule
// needs, and nothing of the objects' shapes. What is no usable address or port is left out alone.

import { isIPv4, isIPv6 } from "node:net";
import type { Endpoint, EndpointSlice, Service, ServicePort } from "#api/kubernetes/gen/types";

const SERVICE_NAME = "kubernetes.io/service-name";
const PROTOCOLS: Readonly<Record<string, "tcp" | "udp">> = { TCP: "tcp", UDP: "udp" };
const DEFAULT_AFFINITY_SECONDS = 10_800;

export interface ServicePortFacts {
  /** `namespace/name:port name or number/protocol`, unique. */
  readonly id: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly clusterIPs: readonly string[];
  readonly loadBalancerIPs: readonly string[];
  /** CIDRs that may use the load balancer addresses; empty: everybody. */
  readonly sourceRanges: readonly string[];
  readonly externalIPs: readonly string[];
  readonly nodePort: number | undefined;
  /** Seconds for which a client stays with its endpoint; undefined: no affinity. */
  readonly affinitySeconds: number | undefined;
  /** `address:port`, sorted; an IPv6 address in brackets. For calls from inside the cluster. */
  readonly endpoints: readonly string[];
  /** The same for calls from outside, which a policy may keep on their node. */
  readonly externalEndpoints: readonly string[];
}

/** Each family has rules of its own. */
export type IpFamily = "IPv4" | "IPv6";

const IS_FAMILY: Readonly<Record<IpFamily, (address: string) => boolean>> = { IPv4: isIPv4, IPv6: isIPv6 };

export interface ProxyNode {
  /** Endpoints of this node are local; without a name all are. */
  readonly nodeName?: string;
  readonly family?: IpFamily;
}

/** In the order of the ids, so that equal objects give equal rules. */
export function servicePorts(
  services: readonly Service[],
  slices: readonly EndpointSlice[],
  on: ProxyNode = {},
): ServicePortFacts[] {
  const { family = "IPv4" } = on;
  const slicesOf = groupSlices(slices, family);
  const facts = services.flatMap((service) => {
    if (service.spec?.type === "ExternalName") return [];
    const own = slicesOf.get(keyOf(service)) ?? [];
    return (service.spec?.ports ?? []).flatMap((port) => factsOf(service, port, { slices: own, ...on, family }));
  });
  return facts.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Load balancer addresses of all Services, each once. */
export function loadBalancerAddresses(services: readonly Service[], family: IpFamily = "IPv4"): string[] {
  return [...new Set(services.flatMap((service) => loadBalancerIPsOf(service, family)))].sort();
}

interface Own extends ProxyNode {
  readonly slices: readonly EndpointSlice[];
  readonly family: IpFamily;
}

function factsOf(service: Service, port: ServicePort, own: Own): ServicePortFacts[] {
  const protocol = PROTOCOLS[port.protocol ?? "TCP"];
  if (protocol === undefined || !isPort(port.port)) return [];
  const { clusterIP, clusterIPs = [], externalIPs = [], loadBalancerSourceRanges = [] } = service.spec ?? {};
  const { internalTrafficPolicy, externalTrafficPolicy } = service.spec ?? {};
  const isFamily = IS_FAMILY[own.family];
  const local = endpointsOf(port, own, true);
  const all = endpointsOf(port, own, false);
  return [
    {
      id: `${keyOf(service)}:${port.name ?? port.port}/${protocol}`,
      protocol,
      port: port.port,
      clusterIPs: [...new Set([clusterIP ?? "", ...clusterIPs])].filter(isFamily),
      loadBalancerIPs: loadBalancerIPsOf(service, own.family),
      sourceRanges: loadBalancerSourceRanges.filter((range) => isCidr(range, own.family)),
      externalIPs: externalIPs.filter(isFamily),
      nodePort: isPort(port.nodePort) ? port.nodePort : undefined,
      affinitySeconds: affinityOf(service),
      endpoints: internalTrafficPolicy === "Local" ? local : all,
      externalEndpoints: externalTrafficPolicy === "Local" ? local : all,
    },
  ];
}

function loadBalancerIPsOf({ spec, status }: Service, family: IpFamily): string[] {
  if (spec?.type !== "LoadBalancer") return [];
  const ingress = status?.loadBalancer?.ingress ?? [];
  // In mode Proxy the address is somebody else's, who passes calls on to node ports.
  return ingress.flatMap(({ ip = "", ipMode }) => (IS_FAMILY[family](ip) && ipMode !== "Proxy" ? [ip] : []));
}

function affinityOf({ spec }: Service): number | undefined {
  if (spec?.sessionAffinity !== "ClientIP") return undefined;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
}

/** The ready ones; when none is, those that still serve while they end, so that a last restart loses no call. */
function endpointsOf(port: ServicePort, own: Own, onlyLocal: boolean): string[] {
  const ready = new Set<string>();
  const ending = new Set<string>();
  for (const [endpoint, target] of own.slices.flatMap((slice) => targetsOf(port, slice, own.family))) {
    if (onlyLocal && own.nodeName !== undefined && endpoint.nodeName !== own.nodeName) continue;
    if (isReady(endpoint)) ready.add(target);
    else if (isServingToTheEnd(endpoint)) ending.add(target);
  }
  return [...(ready.size > 0 ? ready : ending)].sort();
}

function targetsOf({ name = "", protocol = "TCP" }: ServicePort, slice: EndpointSlice, family: IpFamily) {
  const match = slice.ports?.find((port) => (port.name ?? "") === name && (port.protocol ?? "TCP") === protocol);
  const port = match?.port;
  if (!isPort(port)) return [];
  return (slice.endpoints ?? []).flatMap((endpoint): [Endpoint, string][] => {
    const [address = ""] = endpoint.addresses;
    if (!IS_FAMILY[family](address)) return [];
    return [[endpoint, family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`]];
  });
}

/** An absent condition means ready. */
function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false;
}

function isServingToTheEnd({ conditions }: Endpoint): boolean {
  return conditions?.serving === true && conditions.terminating === true;
}

function groupSlices(slices: readonly EndpointSlice[], family: IpFamily): Map<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata?.labels?.[SERVICE_NAME];
    if (name === undefined || slice.addressType !== family) continue;
    const key = `${slice.metadata?.namespace ?? ""}/${name}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(slice);
  }
  return groups;
}

function keyOf({ metadata }: Service): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}

function isPort(port: number | undefined): port is number {
  return port !== undefined && Number.isInteger(port) && port > 0 && port < 65_536;
}

function isCidr(range: string, family: IpFamily): boolean {
  const [address = "", length = ""] = range.split("/");
  return IS_FAMILY[family](address) && /^\d{1,3}$/.test(length) && Number(length) <= (family === "IPv4" ? 32 : 128);
}
