// Envoy may not open /dev/stdout by its name: the descriptor was opened by another user, and may be a socket. Loggers of
// their own write to the descriptor that Envoy holds already.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { MeshConfig } from "#api/mesh-config/mesh-config";
import { packAny } from "#envoy/any";
import type { AccessLogSchema } from "#envoy/gen/envoy/config/accesslog/v3/accesslog_pb";
import { FileAccessLogSchema } from "#envoy/gen/envoy/extensions/access_loggers/file/v3/file_pb";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "#envoy/gen/envoy/extensions/access_loggers/stream/v3/stream_pb";

/** Istio's text format: request line, outcome, bytes, times, peers, route. */
const TEXT_FORMAT = `${[
  "[%START_TIME%]",
  '"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%"',
  "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS%",
  '"%UPSTREAM_TRANSPORT_FAILURE_REASON%"',
  "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"',
  "%UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS%",
  "%REQUESTED_SERVER_NAME% %ROUTE_NAME%",
].join(" ")}\n`;

const JSON_FORMAT = {
  start_time: "%START_TIME%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  protocol: "%PROTOCOL%",
  response_code: "%RESPONSE_CODE%",
  response_flags: "%RESPONSE_FLAGS%",
  response_code_details: "%RESPONSE_CODE_DETAILS%",
  connection_termination_details: "%CONNECTION_TERMINATION_DETAILS%",
  upstream_transport_failure_reason: "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
  bytes_received: "%BYTES_RECEIVED%",
  bytes_sent: "%BYTES_SENT%",
  duration: "%DURATION%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  user_agent: "%REQ(USER-AGENT)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  authority: "%REQ(:AUTHORITY)%",
  upstream_host: "%UPSTREAM_HOST%",
  upstream_cluster: "%UPSTREAM_CLUSTER%",
  upstream_local_address: "%UPSTREAM_LOCAL_ADDRESS%",
  downstream_local_address: "%DOWNSTREAM_LOCAL_ADDRESS%",
  downstream_remote_address: "%DOWNSTREAM_REMOTE_ADDRESS%",
  requested_server_name: "%REQUESTED_SERVER_NAME%",
  route_name: "%ROUTE_NAME%",
};

/** The mesh-wide access log; empty when it is off. */
export function accessLogs(config: MeshConfig): MessageInitShape<typeof AccessLogSchema>[] {
  if (config.accessLogFile === "") return [];
  const { name, typedConfig } = loggerOf(config);
  return [{ name, configType: { case: "typedConfig", value: typedConfig } }];
}

function loggerOf(config: MeshConfig) {
  const path = config.accessLogFile;
  const accessLogFormat = { case: "logFormat", value: { format: formatOf(config) } } as const;
  const stream = STREAMS.get(path);
  if (stream !== undefined) {
    const typedConfig = packAny(stream.schema, create(stream.schema, { accessLogFormat }));
    return { name: stream.name, typedConfig };
  }
  const typedConfig = packAny(FileAccessLogSchema, create(FileAccessLogSchema, { path, accessLogFormat }));
  return { name: "envoy.access_loggers.file", typedConfig };
}

const STDOUT = { name: "envoy.access_loggers.stdout", schema: StdoutAccessLogSchema };
const STDERR = { name: "envoy.access_loggers.stderr", schema: StderrAccessLogSchema };

const STREAMS: ReadonlyMap<string, typeof STDOUT | typeof STDERR> = new Map<string, typeof STDOUT | typeof STDERR>([
  ["/dev/stdout", STDOUT],
  ["/proc/self/fd/1", STDOUT],
  ["/dev/stderr", STDERR],
  ["/proc/self/fd/2", STDERR],
]);

function formatOf({ accessLogEncoding, accessLogFormat }: MeshConfig) {
  if (accessLogEncoding === "JSON") return { case: "jsonFormat", value: JSON_FORMAT } as const;
  const inlineString = accessLogFormat === "" ? TEXT_FORMAT : accessLogFormat;
  return {
    case: "textFormatSource",
    value: { specifier: { case: "inlineString", value: inlineString } },
  } as const;
}
