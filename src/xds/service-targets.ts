// What a workload serves: the services of its own cluster that select it. A service of the same name in another
// cluster never makes inbound configuration.
import { shardsOf } from "#model/endpoint";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { selectorMatches } from "#model/policies";
import type { MeshProxy } from "#model/proxy";
import { compareServices, type Service, type ServicePort } from "#model/service";

export interface ServiceTarget {
  readonly service: Service;
  readonly port: ServicePort;
  /** The port of the workload. */
  readonly targetPort: number;
  /** The number is known from the endpoints only: the port's name is not among the proxy's own words. */
  readonly fromEndpoints: boolean;
}

/** Oldest service first. Ports whose number is not known yet are left out. */
export function serviceTargets(snapshot: MeshSnapshot, proxy: MeshProxy): readonly ServiceTarget[] {
  const selecting = inNamespace(snapshot.services, proxy.namespace)
    .filter((service) => selects(service, proxy))
    .sort(compareServices);
  return selecting.flatMap((service) => {
    const local = service.clusters.get(proxy.cluster);
    return (local?.ports ?? [])
      .filter((port) => port.protocol !== "udp")
      .flatMap((port) => {
        const wanted = local?.targetPorts[port.name] ?? port.port;
        const own = typeof wanted === "number" ? wanted : proxy.podPorts[wanted];
        const targetPort = own ?? portOfEndpoint(snapshot, service, proxy, port.name);
        return targetPort === undefined ? [] : [{ service, port, targetPort, fromEndpoints: own === undefined }];
      });
  });
}

/** True when a change of this service's endpoints may move a target port. */
export function needsEndpoints(service: Service, proxy: MeshProxy): boolean {
  if (!selects(service, proxy)) return false;
  const wanted = Object.values(service.clusters.get(proxy.cluster)?.targetPorts ?? {});
  return wanted.some((port) => typeof port === "string" && proxy.podPorts[port] === undefined);
}

const indexes = new WeakMap<MeshSnapshot["services"], Map<string, Service[]>>();

/** Services of one namespace; the index lives as long as the set of services. */
function inNamespace(services: MeshSnapshot["services"], namespace: string): readonly Service[] {
  const index = indexes.get(services) ?? new Map<string, Service[]>();
  if (!indexes.has(services)) {
    indexes.set(services, index);
    for (const service of services.values()) {
      const list = index.get(service.namespace);
      if (list === undefined) index.set(service.namespace, [service]);
      else list.push(service);
    }
  }
  return index.get(namespace) ?? [];
}

function selects(service: Service, proxy: MeshProxy): boolean {
  if (service.namespace !== proxy.namespace) return false;
  const selector = service.clusters.get(proxy.cluster)?.selector ?? {};
  return Object.keys(selector).length > 0 && selectorMatches(selector, proxy.labels);
}

function portOfEndpoint(snapshot: MeshSnapshot, service: Service, proxy: MeshProxy, name: string): number | undefined {
  const shard = shardsOf(snapshot.endpoints, service.key).get(proxy.cluster) ?? [];
  return shard.find((endpoint) => endpoint.addresses.some((address) => proxy.ips.includes(address)))?.ports[name];
}
