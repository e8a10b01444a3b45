import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { MeshProxy } from "#model/proxy";
import type { WhyNot } from "#model/why-not";
import { gatewayServers, isServed, type PassthroughServer } from "./passthrough-servers.ts";
import { type ServiceTarget, serviceTargets } from "./service-targets.ts";
import { type VisibleServices, visibleServices } from "./visible-services.ts";

/** All that configuration for one proxy may read; all selecting is done here. */
export interface ProxyView {
  readonly snapshot: MeshSnapshot;
  readonly proxy: MeshProxy;
  /** Services it may call (sidecar) or lead to (router). */
  readonly services: VisibleServices;
  /** Services it serves. */
  readonly targets: readonly ServiceTarget[];
  /** Ports it opens as an east-west gateway; empty for sidecars. */
  readonly passthrough: readonly PassthroughServer[];
  /** Configuration that applies to this proxy but is not served, with reasons. */
  readonly whyNot: readonly WhyNot[];
}

const NO_SERVICES: VisibleServices = { sorted: [], byHostname: new Map() };

export function proxyView(snapshot: MeshSnapshot, proxy: MeshProxy): ProxyView {
  const targets = serviceTargets(snapshot, proxy);
  const { passthrough, whyNot } = gatewayServers(snapshot, proxy, targets);
  const visible = visibleServices(snapshot, proxy.namespace);
  const services = proxy.type === "sidecar" ? visible : ledTo(visible, passthrough);
  return { snapshot, proxy, services, targets, passthrough, whyNot };
}

/** A gateway holds only what one of its servers leads to: a cluster that nothing may reach is memory and risk. */
function ledTo(visible: VisibleServices, servers: readonly PassthroughServer[]): VisibleServices {
  if (servers.length === 0) return NO_SERVICES;
  const sorted = visible.sorted.filter((service) => servers.some((server) => isServed(server, service)));
  const kept = new Set(sorted);
  return { sorted, byHostname: new Map([...visible.byHostname].filter(([, service]) => kept.has(service))) };
}
