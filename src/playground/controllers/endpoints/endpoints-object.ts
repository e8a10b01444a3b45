// The older `Endpoints` object: one per Service, the same truth as its slices in another shape.
import type {
  CoreEndpointPort,
  Endpoint,
  EndpointAddress,
  EndpointPort,
  EndpointSubset,
  Endpoints,
  Service,
} from "#api/kubernetes/gen/types";
import { identityOf, labelsOf } from "../objects/object-meta.ts";
import { type EndpointGroup, HEADLESS } from "./endpoint-slices.ts";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const MANAGER = "endpoint-controller";
/** More addresses than so many are not written, and this says so. */
const MAX_ADDRESSES = 1_000;
export const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

/** Made from pods, not by hand. */
export function isManagedEndpoints(endpoints: Endpoints): boolean {
  return labelsOf(endpoints)[MANAGED_BY] === MANAGER;
}

export function buildEndpoints(service: Service, groups: readonly EndpointGroup[]): Endpoints {
  const { namespace, name } = identityOf(service);
  const headless = service.spec?.clusterIP === "None" ? { [HEADLESS]: "" } : {};
  const labels = { ...labelsOf(service), ...headless, [MANAGED_BY]: MANAGER };
  const { subsets, truncated } = truncate(pack(groups));
  const annotations = truncated ? { annotations: { [OVER_CAPACITY]: "truncated" } } : {};
  return { metadata: { namespace, name, labels, ...annotations }, subsets };
}

interface Subset {
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
  readonly ports: CoreEndpointPort[];
}

/** One subset for all ports that the very same addresses have, so that each port stands in one subset only. */
function pack(groups: readonly EndpointGroup[]): Subset[] {
  const byPort = new Map<string, { port: CoreEndpointPort | undefined; endpoints: Endpoint[] }>();
  for (const { ports, endpoints } of groups) {
    // A pod that is going and does not serve is no address at all here.
    const counted = endpoints.filter(({ conditions }) => conditions?.ready || !conditions?.terminating);
    if (counted.length === 0) continue;
    for (const port of ports.length === 0 ? [undefined] : ports.map(portOf)) {
      const key = JSON.stringify(port) ?? "";
      const known = byPort.get(key) ?? { port, endpoints: [] };
      byPort.set(key, known);
      known.endpoints.push(...counted);
    }
  }
  const byAddresses = new Map<string, Subset>();
  for (const { port, endpoints } of byPort.values()) {
    const sorted = [...endpoints].sort((a, b) => (addressKey(a) < addressKey(b) ? -1 : 1));
    const key = JSON.stringify(sorted.map(addressKey));
    const subset = byAddresses.get(key) ?? {
      ready: sorted.filter(({ conditions }) => conditions?.ready === true).map(addressOf),
      notReady: sorted.filter(({ conditions }) => conditions?.ready !== true).map(addressOf),
      ports: [],
    };
    byAddresses.set(key, subset);
    if (port !== undefined) subset.ports.push(port);
  }
  return [...byAddresses.values()];
}

/** Ready addresses come first; each subset gives up its share. */
function truncate(subsets: readonly Subset[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const count = (key: "ready" | "notReady") => subsets.reduce((sum, subset) => sum + subset[key].length, 0);
  const [ready, notReady] = [count("ready"), count("notReady")];
  if (ready + notReady <= MAX_ADDRESSES) return { subsets: subsets.map(written), truncated: false };
  const readyShare = shareOf(ready, Math.min(ready, MAX_ADDRESSES));
  const notReadyShare = shareOf(notReady, Math.max(0, MAX_ADDRESSES - ready));
  const kept = subsets.map((subset) => ({
    ...subset,
    ready: subset.ready.slice(0, readyShare(subset.ready.length)),
    notReady: subset.notReady.slice(0, notReadyShare(subset.notReady.length)),
  }));
  return { subsets: kept.map(written), truncated: true };
}

/** Gives `allowed` of `total` away, to each in proportion, rounded up: the last one may get less. */
function shareOf(total: number, allowed: number): (size: number) => number {
  let left = allowed;
  return (size) => {
    const share = total === 0 ? 0 : Math.min(left, Math.ceil((size / total) * allowed));
    left -= share;
    return share;
  };
}

function written({ ready, notReady, ports }: Subset): EndpointSubset {
  return {
    ...(ready.length === 0 ? {} : { addresses: ready }),
    ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
    ports,
  };
}

function portOf({ name, port = 0, protocol = "TCP", appProtocol }: EndpointPort): CoreEndpointPort {
  return { ...(name ? { name } : {}), port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) };
}

function addressKey({ addresses, targetRef }: Endpoint): string {
  return `${addresses[0]} ${targetRef?.uid ?? ""}`;
}

function addressOf({ addresses, hostname, nodeName, targetRef }: Endpoint): EndpointAddress {
  return {
    ip: addresses[0] ?? "",
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

export function sameEndpoints(a: Endpoints, b: Endpoints): boolean {
  return digest(a) === digest(b);
}

function digest({ metadata, subsets }: Endpoints): string {
  const labels = Object.entries(metadata?.labels ?? {}).sort(([x], [y]) => (x < y ? -1 : 1));
  const address = ({ ip, hostname, nodeName, targetRef }: EndpointAddress) => [ip, hostname, nodeName, targetRef?.uid];
  const normal = (subsets ?? []).map(({ addresses = [], notReadyAddresses = [], ports = [] }) => [
    addresses.map(address),
    notReadyAddresses.map(address),
    ports.map(({ name, port, protocol, appProtocol }) => [name ?? "", port, protocol ?? "TCP", appProtocol]),
  ]);
  return JSON.stringify([labels, metadata?.annotations?.[OVER_CAPACITY], normal]);
}
