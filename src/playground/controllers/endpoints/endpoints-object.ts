// The older `Endpoints` object: one per Service, the same truth as its slices in another shape.
import type { Endpoint, EndpointAddress, EndpointSubset, Endpoints, Service } from "#api/kubernetes/gen/types";
import { identityOf, labelsOf } from "../objects/object-meta.ts";
import { type EndpointGroup, HEADLESS } from "./endpoint-slices.ts";

const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const MANAGER = "endpoint-controller";

/** Made from pods, not by hand. */
export function isManagedEndpoints(endpoints: Endpoints): boolean {
  return labelsOf(endpoints)[MANAGED_BY] === MANAGER;
}

export function buildEndpoints(service: Service, groups: readonly EndpointGroup[]): Endpoints {
  const { namespace, name } = identityOf(service);
  const headless = service.spec?.clusterIP === "None" ? { [HEADLESS]: "" } : {};
  const labels = { ...labelsOf(service), ...headless, [MANAGED_BY]: MANAGER };
  return { metadata: { namespace, name, labels }, subsets: groups.flatMap(subsetOf) };
}

function subsetOf({ ports, endpoints }: EndpointGroup): EndpointSubset[] {
  const addresses = endpoints.filter(({ conditions }) => conditions?.ready === true).map(addressOf);
  // A pod that is going and does not serve is no address at all here.
  const notReady = endpoints
    .filter(({ conditions }) => conditions?.ready !== true && conditions?.terminating !== true)
    .map(addressOf);
  if (addresses.length === 0 && notReady.length === 0) return [];
  return [
    {
      ...(addresses.length === 0 ? {} : { addresses }),
      ...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
      ports: ports.map(({ name, port = 0, protocol = "TCP", appProtocol }) => ({
        ...(name ? { name } : {}),
        port,
        protocol,
        ...(appProtocol === undefined ? {} : { appProtocol }),
      })),
    },
  ];
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
  return JSON.stringify([labels, normal]);
}
