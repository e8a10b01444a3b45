// Servers of Gateways that apply to a proxy. Only AUTO_PASSTHROUGH is served today; the others say why not.
import type { GatewayServer } from "#api/networking/gateway/types";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { selectorMatches } from "#model/policies";
import type { MeshProxy } from "#model/proxy";
import type { Service } from "#model/service";
import type { WhyNot } from "#model/why-not";
import { namespacedHostMatches } from "./host-match.ts";
import type { ServiceTarget } from "./service-targets.ts";

/** One port of an east-west gateway, with the hosts that all servers of that port name. */
export interface PassthroughServer {
  /** "" is every address. */
  readonly bind: string;
  /** The port the proxy listens on. */
  readonly port: number;
  readonly hosts: readonly { readonly pattern: string; readonly namespace: string }[];
}

export interface GatewayServers {
  readonly passthrough: readonly PassthroughServer[];
  readonly whyNot: readonly WhyNot[];
}

const NONE: GatewayServers = { passthrough: [], whyNot: [] };

export function gatewayServers(
  snapshot: MeshSnapshot,
  proxy: MeshProxy,
  targets: readonly ServiceTarget[],
): GatewayServers {
  if (proxy.type !== "router") return NONE;
  const byPort = new Map<string, PassthroughServer>();
  const whyNot: WhyNot[] = [];
  for (const gateway of snapshot.policies.Gateway) {
    if (!selectorMatches(gateway.spec.selector, proxy.labels)) continue;
    for (const server of gateway.spec.servers) {
      const subject = `Gateway ${gateway.namespace}/${gateway.name} port ${server.port.number}`;
      if (server.tls?.mode !== "AUTO_PASSTHROUGH") {
        whyNot.push({ reason: "unsupported", subject, message: unsupported(server) });
        continue;
      }
      addServer(byPort, server, gateway.namespace, targets);
    }
  }
  return { passthrough: [...byPort.values()], whyNot };
}

function addServer(
  byPort: Map<string, PassthroughServer>,
  server: GatewayServer,
  namespace: string,
  targets: readonly ServiceTarget[],
): void {
  // The Gateway names the port of the Service before the proxy; the proxy listens on its target port.
  const target = targets.find(({ port }) => port.port === server.port.number);
  const port = target?.targetPort ?? server.port.number;
  const key = `${server.bind}_${port}`;
  const hosts = server.hosts.map((pattern) => ({ pattern, namespace }));
  const before = byPort.get(key);
  byPort.set(key, { bind: server.bind, port, hosts: [...(before?.hosts ?? []), ...hosts] });
}

function unsupported({ tls, port }: GatewayServer): string {
  const what = tls === undefined ? `protocol ${port.protocol} without TLS` : `TLS mode ${tls.mode}`;
  return `${what} is not served yet; only AUTO_PASSTHROUGH is`;
}

export function isServed(server: PassthroughServer, service: Service): boolean {
  return server.hosts.some(({ pattern, namespace }) => namespacedHostMatches(pattern, service, namespace));
}
