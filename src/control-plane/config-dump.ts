// Configuration as JSON, for people who compare. Loaded only when asked: the descriptors of all these messages cost
// more memory than the rest of the control plane.
import { createRegistry, type DescMessage, fromBinary, toJson } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { errorMessage } from "#base/mesh-error";
import { ClusterSchema } from "#envoy/gen/envoy/config/cluster/v3/cluster_pb";
import { ClusterLoadAssignmentSchema } from "#envoy/gen/envoy/config/endpoint/v3/endpoint_pb";
import { ListenerSchema } from "#envoy/gen/envoy/config/listener/v3/listener_pb";
import { RouteConfigurationSchema } from "#envoy/gen/envoy/config/route/v3/route_pb";
import { FileAccessLogSchema } from "#envoy/gen/envoy/extensions/access_loggers/file/v3/file_pb";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "#envoy/gen/envoy/extensions/access_loggers/stream/v3/stream_pb";
import { CorsSchema } from "#envoy/gen/envoy/extensions/filters/http/cors/v3/cors_pb";
import { HTTPFaultSchema } from "#envoy/gen/envoy/extensions/filters/http/fault/v3/fault_pb";
import { RouterSchema } from "#envoy/gen/envoy/extensions/filters/http/router/v3/router_pb";
import { ConfigSchema as SetFilterStateSchema } from "#envoy/gen/envoy/extensions/filters/http/set_filter_state/v3/set_filter_state_pb";
import { HttpInspectorSchema } from "#envoy/gen/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb";
import { OriginalDstSchema } from "#envoy/gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb";
import { TlsInspectorSchema } from "#envoy/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb";
import { HttpConnectionManagerSchema } from "#envoy/gen/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb";
import { SniClusterSchema } from "#envoy/gen/envoy/extensions/filters/network/sni_cluster/v3/sni_cluster_pb";
import { TcpProxySchema } from "#envoy/gen/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb";
import { PreviousHostsPredicateSchema } from "#envoy/gen/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb";
import { RawBufferSchema } from "#envoy/gen/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "#envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";
import { HttpProtocolOptionsSchema } from "#envoy/gen/envoy/extensions/upstreams/http/v3/http_protocol_options_pb";
import { generate } from "#xds/generate";
import type { GeneratedResource } from "#xds/generated-resource";
import type { ProxyView } from "#xds/proxy-view";

const SCHEMAS = {
  CDS: ClusterSchema,
  EDS: ClusterLoadAssignmentSchema,
  LDS: ListenerSchema,
  RDS: RouteConfigurationSchema,
} as const;
type Dumped = keyof typeof SCHEMAS;

/** Form of Envoy's own /config_dump: where each type stands and under which key its resources lie. */
const SECTIONS: Readonly<Record<Dumped, { readonly type: string; readonly list: string; readonly item: string }>> = {
  CDS: { type: "ClustersConfigDump", list: "dynamic_active_clusters", item: "cluster" },
  LDS: { type: "ListenersConfigDump", list: "dynamic_listeners", item: "listener" },
  RDS: { type: "RoutesConfigDump", list: "dynamic_route_configs", item: "route_config" },
  EDS: { type: "EndpointsConfigDump", list: "dynamic_endpoint_configs", item: "endpoint_config" },
};

/** Messages that lie inside others as google.protobuf.Any. */
const NESTED: readonly DescMessage[] = [
  UpstreamTlsContextSchema,
  DownstreamTlsContextSchema,
  RouterSchema,
  SetFilterStateSchema,
  CorsSchema,
  HttpConnectionManagerSchema,
  TcpProxySchema,
  SniClusterSchema,
  TlsInspectorSchema,
  HttpInspectorSchema,
  OriginalDstSchema,
  RawBufferSchema,
  PreviousHostsPredicateSchema,
  HttpProtocolOptionsSchema,
  FileAccessLogSchema,
  StdoutAccessLogSchema,
  StderrAccessLogSchema,
  HTTPFaultSchema,
];

const registry = createRegistry(...NESTED);

/** What the control plane makes for one proxy, in the form of Envoy's /config_dump. */
export function dumpConfiguration(view: ProxyView): unknown {
  return { configs: (Object.keys(SECTIONS) as Dumped[]).map((type) => section(view, type)) };
}

export function dumpEndpoints(view: ProxyView): unknown {
  return generate(view, "EDS").map((resource) => messageOf("EDS", resource));
}

function section(view: ProxyView, type: Dumped): unknown {
  const { type: name, list, item } = SECTIONS[type];
  const resources = generate(view, type).map((resource) => {
    const entry = { version_info: resource.version, [item]: messageOf(type, resource) };
    return type === "LDS" ? { name: resource.name, active_state: entry } : entry;
  });
  return { "@type": `type.googleapis.com/envoy.admin.v3.${name}`, [list]: resources };
}

/** A message that holds something we do not know is still named, with the reason it cannot be shown. */
function messageOf(type: Dumped, resource: GeneratedResource): unknown {
  const { typeUrl, value } = fromBinary(AnySchema, resource.any);
  try {
    const schema: DescMessage = SCHEMAS[type];
    const json = toJson(schema, fromBinary(schema, value), { registry, useProtoFieldName: true });
    return { "@type": typeUrl, ...(json as object) };
  } catch (thrown) {
    return { "@type": typeUrl, name: resource.name, unreadable: errorMessage(thrown) };
  }
}
