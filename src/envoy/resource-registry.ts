// The descriptors of all messages that our resources carry, for those who read them as JSON: the control plane's dump and
// the golden tests. They cost more memory than the rest of the control plane, so they are loaded only when asked for.
import { createRegistry } from "@bufbuild/protobuf";
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

/** The message of each resource type, by the short name of its discovery service. */
export const RESOURCE_SCHEMAS = {
  CDS: ClusterSchema,
  EDS: ClusterLoadAssignmentSchema,
  LDS: ListenerSchema,
  RDS: RouteConfigurationSchema,
} as const;

/** Resources, and the messages that lie inside others as google.protobuf.Any. */
export const resourceRegistry = createRegistry(
  ...Object.values(RESOURCE_SCHEMAS),
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
);
