import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { packAny } from "#envoy/any";
import type {
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
} from "#envoy/gen/envoy/config/listener/v3/listener_components_pb";
import { HttpInspectorSchema } from "#envoy/gen/envoy/extensions/filters/listener/http_inspector/v3/http_inspector_pb";
import { OriginalDstSchema } from "#envoy/gen/envoy/extensions/filters/listener/original_dst/v3/original_dst_pb";
import { TlsInspectorSchema } from "#envoy/gen/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector_pb";

type ListenerFilter = Extract<MessageInitShape<typeof ListenerFilterSchema>, { $typeName?: never }>;

/** Reads where the connection was going before iptables turned it to the proxy. */
export function originalDestination(): ListenerFilter {
  return filter("envoy.filters.listener.original_dst", packAny(OriginalDstSchema, create(OriginalDstSchema)));
}

/** Reads SNI and ALPN of a TLS hello; plain bytes pass. */
export function tlsInspector(): ListenerFilter {
  return filter("envoy.filters.listener.tls_inspector", packAny(TlsInspectorSchema, create(TlsInspectorSchema)));
}

/** Tells HTTP from other plain bytes. It waits for the client's first bytes, so it is off where nobody asks. */
export function httpInspector(offForPorts: readonly number[] = []): ListenerFilter {
  const value = packAny(HttpInspectorSchema, create(HttpInspectorSchema));
  const inspector = filter("envoy.filters.listener.http_inspector", value);
  const predicate = anyPort(offForPorts);
  return predicate === undefined ? inspector : { ...inspector, filterDisabled: predicate };
}

function filter(name: string, value: ReturnType<typeof packAny>): ListenerFilter {
  return { name, configType: { case: "typedConfig", value } };
}

type Predicate = MessageInitShape<typeof ListenerFilterChainMatchPredicateSchema>;

function anyPort(ports: readonly number[]): Predicate | undefined {
  const rules = ports.map(
    (port): Predicate => ({ rule: { case: "destinationPortRange", value: { start: port, end: port + 1 } } }),
  );
  return rules.length < 2 ? rules[0] : { rule: { case: "orMatch", value: { rules } } };
}
