// What the cluster's DNS knows of Services and their endpoints, by name: look-ups only.

import { isIP } from "node:net";
import type { Endpoint, EndpointPort, EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { canonicalAddress } from "./canonical-address.ts";

const SERVICE_NAME = "kubernetes.io/service-name";

export interface HeadlessEndpoint {
  readonly address: string;
  /** The first label of its own name: the pod's hostname where it has one for this Service, else made from the address. */
  readonly hostname: string;
  readonly ports: readonly EndpointPort[];
}

export interface DnsView {
  service(namespace: string, name: string): Service | undefined;
  hasNamespace(namespace: string): boolean;
  /** Endpoints of a Service that may be handed out: ready ones, or all with publishNotReadyAddresses. */
  endpoints(service: Service): readonly HeadlessEndpoint[];
  /** Names without the zone that an address has: `web.sample.svc`. */
  namesOf(address: string): readonly string[];
}

/** A frozen picture of the given objects; building it is linear, every look-up short. */
export function buildDnsView(services: readonly Service[], slices: readonly EndpointSlice[]): DnsView {
  const byKey = new Map<string, Service>();
  const namespaces = new Set<string>();
  const slicesOf = new Map<string, EndpointSlice[]>();
  for (const service of services) {
    const { namespace = "", name = "" } = service.metadata ?? {};
    byKey.set(`${namespace}/${name}`, service);
    namespaces.add(namespace);
  }
  for (const slice of slices) {
    const key = `${slice.metadata?.namespace ?? ""}/${slice.metadata?.labels?.[SERVICE_NAME] ?? ""}`;
    const group = slicesOf.get(key) ?? [];
    slicesOf.set(key, group);
    group.push(slice);
  }
  const endpoints = (service: Service) => {
    const { namespace = "", name = "" } = service.metadata ?? {};
    return endpointsOf(slicesOf.get(`${namespace}/${name}`) ?? []);
  };
  let reverse: Map<string, string[]> | undefined;
  return {
    service: (namespace, name) => byKey.get(`${namespace}/${name}`),
    hasNamespace: (namespace) => namespaces.has(namespace),
    endpoints,
    namesOf(address) {
      reverse ??= reverseNames(services, endpoints);
      return reverse.get(canonicalAddress(address)) ?? [];
    },
  };
}

/** Of either family; none for a headless Service. */
export function clusterAddresses({ spec }: Service): string[] {
  const all = new Set([spec?.clusterIP ?? "", ...(spec?.clusterIPs ?? [])]);
  return [...all].filter((address) => isIP(address) !== 0);
}

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === "None";
}

function endpointsOf(slices: readonly EndpointSlice[]): HeadlessEndpoint[] {
  const found = new Map<string, HeadlessEndpoint>();
  for (const { endpoints = [], ports = [] } of slices) {
    for (const endpoint of endpoints) {
      const [address = ""] = endpoint.addresses;
      // Absent means ready; publishNotReadyAddresses has made it so already where it applies.
      if (isIP(address) === 0 || endpoint.conditions?.ready === false) continue;
      const before = found.get(address)?.ports ?? [];
      found.set(address, { address, hostname: hostnameOf(endpoint, address), ports: [...before, ...ports] });
    }
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

function hostnameOf({ hostname }: Endpoint, address: string): string {
  return hostname?.toLowerCase() || address.replaceAll(/[.:]/g, "-");
}

function reverseNames(
  services: readonly Service[],
  endpoints: (service: Service) => readonly HeadlessEndpoint[],
): Map<string, string[]> {
  const names = new Map<string, string[]>();
  const add = (address: string, name: string) => {
    const key = canonicalAddress(address);
    names.set(key, [...(names.get(key) ?? []), name]);
  };
  for (const service of services) {
    const { namespace = "", name = "" } = service.metadata ?? {};
    for (const address of clusterAddresses(service)) add(address, `${name}.${namespace}.svc`);
    if (!isHeadless(service)) continue;
    for (const { address, hostname } of endpoints(service)) add(address, `${hostname}.${name}.${namespace}.svc`);
  }
  return names;
}
