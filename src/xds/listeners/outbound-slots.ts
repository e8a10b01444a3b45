// Which listener a service port needs, and who wins when two want the same one. Oldest service first, always.
import { PORTS } from "#api/constants/ports";
import { buildClusterName } from "#envoy/names";
import { shardsOf } from "#model/endpoint";
import { isHttp } from "#model/protocol";
import { type Service, type ServicePort, serviceVips } from "#model/service";
import type { WhyNot } from "#model/why-not";
import { destinationRuleFor } from "../destination-rules.ts";
import type { ProxyView } from "../proxy-view.ts";
import { ANY_ADDRESS, listenerName } from "./listener.ts";

/** One listener to be: HTTP by routes, TCP to a cluster, or both told apart by the first bytes. */
export interface OutboundSlot {
  readonly address: string;
  readonly port: number;
  /** Name of the route configuration for HTTP. */
  readonly route?: string;
  /** Its servers learn only from us that HTTP follows. */
  readonly tellHttp?: boolean;
  /** Cluster for bytes that are not HTTP. */
  readonly cluster?: string;
}

export interface OutboundSlots {
  readonly slots: readonly OutboundSlot[];
  readonly whyNot: readonly WhyNot[];
}

/** Listeners that the proxy has anyway; a service port of that number must not take their address. */
const OWN_PORTS: ReadonlySet<number> = new Set([
  PORTS.outbound,
  PORTS.inbound,
  PORTS.proxyHealth,
  PORTS.proxyStats,
  PORTS.envoyAdmin,
]);

export function outboundSlots(view: ProxyView): OutboundSlots {
  const slots = new Map<string, OutboundSlot>();
  const whyNot: WhyNot[] = [];
  for (const service of view.services.sorted) {
    for (const port of service.ports) {
      if (port.protocol === "udp") continue;
      for (const wanted of wantedSlots(view, service, port)) {
        const refused = claim(slots, wanted);
        if (refused !== undefined) {
          whyNot.push({
            reason: "listener-conflict",
            subject: `${service.hostname} port ${port.port}`,
            message: refused,
          });
        }
      }
    }
  }
  return { slots: [...slots.values()], whyNot };
}

/** Route name of a port whose protocol is told per connection. */
export function sniffedRouteName(service: Service, port: ServicePort): string {
  return `${service.hostname}:${port.port}`;
}

function wantedSlots(view: ProxyView, service: Service, port: ServicePort): readonly OutboundSlot[] {
  if (isHttp(port.protocol)) return [{ address: ANY_ADDRESS, port: port.port, route: String(port.port) }];
  const cluster = buildClusterName({ direction: "outbound", port: port.port, subset: "", hostname: service.hostname });
  const tcp = { port: port.port, cluster };
  const slot =
    port.protocol === "auto"
      ? { ...tcp, route: sniffedRouteName(service, port), tellHttp: speaksMeshTls(view, service) }
      : tcp;
  return addressesOf(view, service, port).map(({ address, number }) => ({ ...slot, address, port: number }));
}

function speaksMeshTls({ snapshot, proxy }: ProxyView, service: Service): boolean {
  const mode = destinationRuleFor(snapshot, proxy.namespace, service)?.spec.tlsMode;
  return mode === undefined || mode === "ISTIO_MUTUAL";
}

interface Destination {
  readonly address: string;
  readonly number: number;
}

function addressesOf(view: ProxyView, service: Service, port: ServicePort): readonly Destination[] {
  const { proxy, snapshot } = view;
  if (service.resolution === "passthrough") {
    // Headless: the application dials pods. Its own address stays free, or it would call itself in circles.
    const found = [...shardsOf(snapshot.endpoints, service.key).values()].flat().flatMap((endpoint) => {
      const reachable = endpoint.network === proxy.network || endpoint.network === "" || proxy.network === "";
      return reachable
        ? endpoint.addresses.map((address) => ({ address, number: endpoint.ports[port.name] ?? 0 }))
        : [];
    });
    return found.filter(({ address, number }) => number > 0 && !proxy.ips.includes(address));
  }
  const vips = serviceVips(service, proxy.cluster).filter((vip) =>
    proxy.ips.some((ip) => ip.includes(":") === vip.includes(":")),
  );
  return vips.map((address) => ({ address, number: port.port }));
}

/** Takes the slot, or returns why not. HTTP services share a slot; HTTP and one TCP service can be told apart. */
function claim(slots: Map<string, OutboundSlot>, wanted: OutboundSlot): string | undefined {
  const name = listenerName(wanted.address, wanted.port);
  if (wanted.address === ANY_ADDRESS && OWN_PORTS.has(wanted.port)) return `port ${wanted.port} belongs to the proxy`;
  const before = slots.get(name);
  if (before === undefined) {
    slots.set(name, wanted);
    return undefined;
  }
  const isSharedHttp = wanted.cluster === undefined && (before.route === undefined || before.route === wanted.route);
  if (!isSharedHttp) return `an older service has the listener ${name}`;
  slots.set(name, { ...before, ...wanted });
  return undefined;
}
