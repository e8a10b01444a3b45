// The last filter of a chain: HTTP by routes, or bytes to one cluster.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { MeshConfig } from "#api/mesh-config/mesh-config";
import { packAny } from "#envoy/any";
import type { FilterSchema } from "#envoy/gen/envoy/config/listener/v3/listener_components_pb";
import type { RouteConfigurationSchema } from "#envoy/gen/envoy/config/route/v3/route_pb";
import { FilterStateValue_SharedWithUpstream } from "#envoy/gen/envoy/extensions/filters/common/set_filter_state/v3/value_pb";
import { RouterSchema } from "#envoy/gen/envoy/extensions/filters/http/router/v3/router_pb";
import { ConfigSchema as SetFilterStateSchema } from "#envoy/gen/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb";
import {
  type HttpConnectionManagerSchema as HcmSchema,
  HttpConnectionManager_ForwardClientCertDetails,
  HttpConnectionManagerSchema,
  type HttpFilterSchema,
} from "#envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { TcpProxySchema } from "#envoy/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb";
import { accessLogs } from "../access-log.ts";
import { adsSource, duration } from "../config-source.ts";

export type NetworkFilter = MessageInitShape<typeof FilterSchema>;
type HcmInit = Extract<MessageInitShape<typeof HcmSchema>, { $typeName?: never }>;

/** Bytes to one cluster. */
export function tcpProxy(config: MeshConfig, cluster: string): NetworkFilter {
  const value = create(TcpProxySchema, {
    statPrefix: cluster,
    clusterSpecifier: { case: "cluster", value: cluster },
    accessLog: accessLogs(config),
  });
  return {
    name: "envoy.filters.network.tcp_proxy",
    configType: { case: "typedConfig", value: packAny(TcpProxySchema, value) },
  };
}

export interface OutboundHttp {
  readonly route: string;
  /** The clusters behind it do not know yet that HTTP follows. */
  readonly tellHttp: boolean;
}

/** Requests of the application, routed by a route configuration that comes on the stream. */
export function outboundHttp(config: MeshConfig, { route: routeName, tellHttp }: OutboundHttp): NetworkFilter {
  return httpConnectionManager(config, {
    httpFilters: tellHttp ? [TELL_HTTP, ...HTTP_FILTERS] : [...HTTP_FILTERS],
    statPrefix: `outbound_${routeName}`,
    routeSpecifier: { case: "rds", value: { configSource: adsSource(), routeConfigName: routeName } },
  });
}

/** Requests to the application. The caller's certificate travels on in X-Forwarded-Client-Cert. */
export function inboundHttp(
  config: MeshConfig,
  route: MessageInitShape<typeof RouteConfigurationSchema>,
): NetworkFilter {
  return httpConnectionManager(config, {
    statPrefix: route.name ?? "inbound",
    routeSpecifier: { case: "routeConfig", value: route },
    serverName: "istio-envoy",
    forwardClientCertDetails: HttpConnectionManager_ForwardClientCertDetails.APPEND_FORWARD,
    setCurrentClientCertDetails: { subject: true, uri: true, dns: true },
  });
}

/**
 * A server's auto-detecting port tells HTTP inside mesh mTLS by ALPN alone, and the cluster of such a port carries other
 * bytes too: so the requests themselves choose what is offered. One name serves HTTP/1 and HTTP/2, since the server
 * agrees to none of ours and reads the preface. The choice would reach foreign TLS servers as well, so it is only made
 * where mesh mTLS is spoken.
 */
const TELL_HTTP: MessageInitShape<typeof HttpFilterSchema> = {
  name: "envoy.filters.http.set_filter_state",
  configType: {
    case: "typedConfig",
    value: packAny(
      SetFilterStateSchema,
      create(SetFilterStateSchema, {
        onRequestHeaders: [
          {
            key: { case: "objectKey", value: "envoy.network.application_protocols" },
            sharedWithUpstream: FilterStateValue_SharedWithUpstream.ONCE,
            value: {
              case: "formatString",
              value: {
                format: {
                  case: "textFormatSource",
                  value: { specifier: { case: "inlineString", value: "istio-http/1.1,istio" } },
                },
              },
            },
          },
        ],
      }),
    ),
  },
};

/** The order of HTTP filters is data: each row will say why it stands where it stands. */
const HTTP_FILTERS: readonly MessageInitShape<typeof HttpFilterSchema>[] = [
  // The router ends the chain: it is the filter that sends the request on.
  {
    name: "envoy.filters.http.router",
    configType: { case: "typedConfig", value: packAny(RouterSchema, create(RouterSchema)) },
  },
];

function httpConnectionManager(config: MeshConfig, init: HcmInit): NetworkFilter {
  const value = create(HttpConnectionManagerSchema, {
    useRemoteAddress: false,
    normalizePath: true,
    // A request may take as long as the application likes; idle connections are closed by their owners.
    streamIdleTimeout: duration(0),
    upgradeConfigs: [{ upgradeType: "websocket" }],
    accessLog: accessLogs(config),
    httpFilters: [...HTTP_FILTERS],
    ...init,
  });
  return {
    name: "envoy.filters.network.http_connection_manager",
    configType: { case: "typedConfig", value: packAny(HttpConnectionManagerSchema, value) },
  };
}
