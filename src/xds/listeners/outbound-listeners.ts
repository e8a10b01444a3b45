import type { MeshConfig } from "#api/mesh-config/mesh-config";
import { TrafficDirection } from "#envoy/gen/envoy/config/core/v3/base_pb";
import { duration } from "../config-source.ts";
import type { ProxyView } from "../proxy-view.ts";
import { type FilterChain, type ListenerInit, listenerName, PLAIN_HTTP, socketAddress } from "./listener.ts";
import { httpInspector, tlsInspector } from "./listener-filters.ts";
import { outboundHttp, tcpProxy } from "./network-filters.ts";
import { type OutboundSlot, outboundSlots } from "./outbound-slots.ts";
import { unclaimedCluster } from "./virtual-outbound.ts";

/** One listener for each address and port that a visible service claims. None of them is bound. */
export function buildOutboundListeners(view: ProxyView): readonly ListenerInit[] {
  const { config } = view.snapshot.mesh;
  return outboundSlots(view).slots.map((slot) => ({
    name: listenerName(slot.address, slot.port),
    address: socketAddress(slot.address, slot.port),
    bindToPort: false,
    trafficDirection: TrafficDirection.OUTBOUND,
    ...chains(slot, config),
  }));
}

function chains(slot: OutboundSlot, config: MeshConfig): ListenerInit {
  if (slot.route === undefined) {
    return { filterChains: [{ filters: [tcpProxy(config, slot.cluster ?? unclaimedCluster(config))] }] };
  }
  const http: FilterChain = {
    filterChainMatch: { transportProtocol: "raw_buffer", applicationProtocols: PLAIN_HTTP },
    filters: [outboundHttp(config, { route: slot.route, tellHttp: slot.tellHttp ?? false })],
  };
  // What is no HTTP goes where it was going: to the TCP service of this port, else out of the mesh.
  const other: FilterChain =
    slot.cluster === undefined
      ? { name: "PassthroughFilterChain", filters: [tcpProxy(config, unclaimedCluster(config))] }
      : { filters: [tcpProxy(config, slot.cluster)] };
  return {
    filterChains: [http],
    defaultFilterChain: other,
    listenerFilters: [tlsInspector(), httpInspector()],
    listenerFiltersTimeout: duration(config.protocolDetectionTimeoutMs),
    continueOnListenerFiltersTimeout: true,
  };
}
