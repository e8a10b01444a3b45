import { PORTS } from "#api/constants/ports";
import type { MeshConfig } from "#api/mesh-config/mesh-config";
import { TrafficDirection } from "#envoy/gen/envoy/config/core/v3/base_pb";
import { buildClusterName, FIXED_NAMES } from "#envoy/names";
import { mtlsModeOf } from "#model/policies";
import type { Protocol } from "#model/protocol";
import { duration } from "../config-source.ts";
import type { ProxyView } from "../proxy-view.ts";
import { buildInboundRoute } from "../routes/inbound-route.ts";
import type { ServiceTarget } from "../service-targets.ts";
import { meshTlsServer } from "./downstream-tls.ts";
import { type InboundPort, inboundChains, needsHttpInspector } from "./inbound-chains.ts";
import { ANY_ADDRESS, type FilterChain, type ListenerInit, socketAddress } from "./listener.ts";
import { httpInspector, originalDestination, tlsInspector } from "./listener-filters.ts";
import { inboundHttp, tcpProxy } from "./network-filters.ts";
import { blackHoleChain } from "./virtual-outbound.ts";

/** Where iptables sends what reaches the pod: chains by destination port, then by what the first bytes are. */
export function buildVirtualInbound(view: ProxyView): ListenerInit {
  const { config } = view.snapshot.mesh;
  const ports = inboundPorts(view);
  const unsniffed = ports.flatMap(({ port, protocol, mode }) =>
    port === undefined || needsHttpInspector(protocol, mode) ? [] : [port],
  );
  const chains: FilterChain[] = [
    blackHoleChain(config, FIXED_NAMES.virtualInbound, PORTS.inbound),
    ...ports.flatMap((port) => inboundChains(port)),
  ];
  return {
    name: FIXED_NAMES.virtualInbound,
    address: socketAddress(ANY_ADDRESS, PORTS.inbound),
    trafficDirection: TrafficDirection.INBOUND,
    // Order: the destination first, since the others are switched by it; TLS before HTTP, which is inside it or absent.
    listenerFilters: [originalDestination(), tlsInspector(), httpInspector([...unsniffed].sort((a, b) => a - b))],
    listenerFiltersTimeout: duration(config.protocolDetectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
    filterChains: chains,
  };
}

/** One target for each port of the workload: the oldest service decides its protocol. */
export function inboundTargets(view: ProxyView): readonly ServiceTarget[] {
  const byPort = new Map<number, ServiceTarget>();
  for (const target of view.targets) if (!byPort.has(target.targetPort)) byPort.set(target.targetPort, target);
  return [...byPort.values()];
}

function inboundPorts(view: ProxyView): readonly InboundPort[] {
  const { config } = view.snapshot.mesh;
  const mode = (port?: number) =>
    mtlsModeOf(view.snapshot.policies.PeerAuthentication, config.rootNamespace, view.proxy, port);
  const declared = inboundTargets(view).map(({ targetPort, port }) => {
    const cluster = buildClusterName({ direction: "inbound", port: targetPort, subset: "", hostname: "" });
    const name = `${ANY_ADDRESS}_${targetPort}`;
    return {
      ...inside(config, { cluster, protocol: port.protocol, virtualHost: `inbound|http|${port.port}` }),
      port: targetPort,
      mode: mode(targetPort),
      names: { http: name, tcp: name },
    };
  });
  const undeclared = {
    ...inside(config, { cluster: FIXED_NAMES.inboundPassthrough, protocol: "auto", virtualHost: "inbound|http|0" }),
    port: undefined,
    mode: mode(),
    names: { http: `${FIXED_NAMES.virtualInbound}-catchall-http`, tcp: FIXED_NAMES.virtualInbound },
  };
  return [...declared, undeclared];
}

interface Inside {
  readonly cluster: string;
  readonly protocol: Protocol;
  readonly virtualHost: string;
}

function inside(
  config: MeshConfig,
  { cluster, protocol, virtualHost }: Inside,
): Pick<InboundPort, "filters" | "transportSocket" | "protocol"> {
  return {
    protocol,
    filters: {
      http: () => [inboundHttp(config, buildInboundRoute(cluster, virtualHost))],
      tcp: () => [tcpProxy(config, cluster)],
    },
    transportSocket: () => meshTlsServer(config),
  };
}
