import { PORTS } from "#api/constants/ports";
import type { MeshConfig } from "#api/mesh-config/mesh-config";
import { TrafficDirection } from "#envoy/gen/envoy/config/core/v3/base_pb";
import { FIXED_NAMES } from "#envoy/names";
import { ANY_ADDRESS, type FilterChain, type ListenerInit, socketAddress } from "./listener.ts";
import { tcpProxy } from "./network-filters.ts";

/** Where iptables sends what the application dials; it hands on to the listener of the original destination. */
export function buildVirtualOutbound(config: MeshConfig): ListenerInit {
  return {
    name: FIXED_NAMES.virtualOutbound,
    address: socketAddress(ANY_ADDRESS, PORTS.outbound),
    useOriginalDst: true,
    trafficDirection: TrafficDirection.OUTBOUND,
    filterChains: [blackHoleChain(config, FIXED_NAMES.virtualOutbound, PORTS.outbound), catchAll(config)],
  };
}

/** Dialling the proxy's own port would go in circles. */
export function blackHoleChain(config: MeshConfig, listener: string, port: number): FilterChain {
  return {
    name: `${listener}-blackhole`,
    filterChainMatch: { destinationPort: port },
    filters: [tcpProxy(config, FIXED_NAMES.blackHole)],
  };
}

/** Where traffic goes that no service claims. */
export function unclaimedCluster(config: MeshConfig): string {
  return config.outboundTrafficPolicy === "ALLOW_ANY" ? FIXED_NAMES.passthrough : FIXED_NAMES.blackHole;
}

function catchAll(config: MeshConfig): FilterChain {
  return {
    name: `${FIXED_NAMES.virtualOutbound}-catchall-tcp`,
    filters: [tcpProxy(config, unclaimedCluster(config))],
  };
}
