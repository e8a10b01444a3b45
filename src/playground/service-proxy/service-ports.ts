// Each port of each Service, with the addresses it is reached by and the endpoints that answer now: all that a rule
// needs, and nothing of the objects' shapes. What is no usable address or port is left out alone.

import { isIPv4 } from "node:net";
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
  /** `address:port`, sorted. */
  readonly endpoints: readonly string[];
}

/** In the order of the ids, so that equal objects give equal rules. */
export function servicePorts(services: readonly Service[], slices: readonly EndpointSlice[]): ServicePortFacts[] {
  const slicesOf = groupSlices(slices);
  const facts = services.flatMap((service) => {
    if (service.spec?.type === "ExternalName") return [];
    const own = slicesOf.get(keyOf(service)) ?? [];
    return (service.spec?.ports ?? []).flatMap((port) => factsOf(service, port, own));
  });
  return facts.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Load balancer addresses of all Services, each once. */
export function loadBalancerAddresses(services: readonly Service[]): string[] {
  return [...new Set(services.flatMap(loadBalancerIPsOf))].sort();
}

function factsOf(service: Service, port: ServicePort, slices: readonly EndpointSlice[]): ServicePortFacts[] {
  const protocol = PROTOCOLS[port.protocol ?? "TCP"];
  if (protocol === undefined || !isPort(port.port)) return [];
  const { clusterIP, clusterIPs = [], externalIPs = [], loadBalancerSourceRanges = [] } = service.spec ?? {};
  return [
    {
      id: `${keyOf(service)}:${port.name ?? port.port}/${protocol}`,
      protocol,
      port: port.port,
      clusterIPs: [...new Set([clusterIP ?? "", ...clusterIPs])].filter(isIPv4),
      loadBalancerIPs: loadBalancerIPsOf(service),
      sourceRanges: loadBalancerSourceRanges.filter(isCidr),
      externalIPs: externalIPs.filter(isIPv4),
      nodePort: isPort(port.nodePort) ? port.nodePort : undefined,
      affinitySeconds: affinityOf(service),
      endpoints: endpointsOf(port, slices),
    },
  ];
}

function loadBalancerIPsOf({ spec, status }: Service): string[] {
  if (spec?.type !== "LoadBalancer") return [];
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip = "" }) => (isIPv4(ip) ? [ip] : []));
}

function affinityOf({ spec }: Service): number | undefined {
  if (spec?.sessionAffinity !== "ClientIP") return undefined;
  return spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS;
}

/** The ready ones; when none is, those that still serve while they end, so that a last restart loses no call. */
function endpointsOf({ name = "", protocol = "TCP" }: ServicePort, slices: readonly EndpointSlice[]): string[] {
  const ready = new Set<string>();
  const ending = new Set<string>();
  for (const slice of slices) {
    const match = slice.ports?.find((port) => (port.name ?? "") === name && (port.protocol ?? "TCP") === protocol);
    if (!isPort(match?.port)) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const [address = ""] = endpoint.addresses;
      if (!isIPv4(address)) continue;
      if (isReady(endpoint)) ready.add(`${address}:${match.port}`);
      else if (isServingToTheEnd(endpoint)) ending.add(`${address}:${match.port}`);
    }
  }
  return [...(ready.size > 0 ? ready : ending)].sort();
}

/** An absent condition means ready. */
function isReady({ conditions }: Endpoint): boolean {
  return conditions?.ready !== false;
}

function isServingToTheEnd({ conditions }: Endpoint): boolean {
  return conditions?.serving === true && conditions.terminating === true;
}

function groupSlices(slices: readonly EndpointSlice[]): Map<string, EndpointSlice[]> {
  const groups = new Map<string, EndpointSlice[]>();
  for (const slice of slices) {
    const name = slice.metadata?.labels?.[SERVICE_NAME];
    if (name === undefined || slice.addressType !== "IPv4") continue;
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

function isCidr(range: string): boolean {
  const [address = "", length = ""] = range.split("/");
  return isIPv4(address) && /^\d{1,2}$/.test(length) && Number(length) <= 32;
}
