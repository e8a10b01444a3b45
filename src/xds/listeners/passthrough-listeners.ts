// The ports of an east-west gateway. One chain for each service port, matched by its exact SNI and the mesh's ALPN names,
// rather than one chain that takes the SNI for a cluster name (`sni_cluster`): there, any cluster of this proxy whose name
// ends in `.local` could be named from outside, and a change of the expose rule would leave the old names open. A chain
// costs a few kB; Envoy updates chains in place, so connections of other services live on.
import { ALPN } from "#api/constants/names";
import { TrafficDirection } from "#envoy/gen/envoy/config/core/v3/base_pb";
import { clusterSpecs } from "../cluster-spec.ts";
import { duration } from "../config-source.ts";
import { isServed, type PassthroughServer } from "../passthrough-servers.ts";
import type { ProxyView } from "../proxy-view.ts";
import { ANY_ADDRESS, type FilterChain, type ListenerInit, listenerName, socketAddress } from "./listener.ts";
import { tlsInspector } from "./listener-filters.ts";
import { tcpProxy } from "./network-filters.ts";

export function buildPassthroughListeners(view: ProxyView): readonly ListenerInit[] {
  return view.passthrough.flatMap((server) => {
    const filterChains = chainsOf(view, server);
    // Envoy refuses a listener without chains; a closed port says the same to a caller.
    if (filterChains.length === 0) return [];
    const address = server.bind || ANY_ADDRESS;
    return [
      {
        name: listenerName(address, server.port),
        address: socketAddress(address, server.port),
        trafficDirection: TrafficDirection.OUTBOUND,
        listenerFilters: [tlsInspector()],
        listenerFiltersTimeout: duration(HELLO_TIMEOUT_MS),
        filterChains,
      },
    ];
  });
}

/** This port faces strangers: who sends no TLS hello is closed, not waited for. */
const HELLO_TIMEOUT_MS = 15_000;

function chainsOf(view: ProxyView, server: PassthroughServer): FilterChain[] {
  const { config } = view.snapshot.mesh;
  return clusterSpecs(view)
    .filter(({ service }) => isServed(server, service))
    .map(({ name }) => ({
      name,
      filterChainMatch: { transportProtocol: "tls", serverNames: [name], applicationProtocols: [...ALPN.mesh] },
      filters: [tcpProxy(config, name)],
    }));
}
