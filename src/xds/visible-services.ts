import type { Hostname } from "#model/ids";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { compareServices, isExportedTo, type Service } from "#model/service";

/** The services that configuration of one namespace may see. */
export interface VisibleServices {
  /** Oldest first: the order in which they win conflicts. Aliases (ExternalName) have no configuration of their own. */
  readonly sorted: readonly Service[];
  /** One service a host name: the own namespace's first, then the oldest. */
  readonly byHostname: ReadonlyMap<Hostname, Service>;
}

type ByNamespace = Map<string, VisibleServices>;

/** Proxies of one namespace see the same: selected once for each set of services, dropped with it. */
const remembered = new WeakMap<MeshSnapshot["services"], ByNamespace>();

export function visibleServices(snapshot: MeshSnapshot, namespace: string): VisibleServices {
  const exportTo = snapshot.mesh.config.defaultServiceExportTo;
  const key = `${namespace} ${exportTo.join(",")}`;
  const byNamespace: ByNamespace = remembered.get(snapshot.services) ?? new Map();
  remembered.set(snapshot.services, byNamespace);
  const known = byNamespace.get(key);
  if (known !== undefined) return known;
  const selected = select(snapshot, namespace, exportTo);
  byNamespace.set(key, selected);
  return selected;
}

function select(snapshot: MeshSnapshot, namespace: string, exportTo: readonly string[]): VisibleServices {
  const sorted = [...snapshot.services.values()]
    .filter((service) => service.resolution !== "alias" && isExportedTo(service, namespace, exportTo))
    .sort(compareServices);
  const byHostname = new Map<Hostname, Service>();
  for (const service of sorted) {
    if (!byHostname.has(service.hostname) || service.namespace === namespace) byHostname.set(service.hostname, service);
  }
  return { sorted, byHostname };
}
