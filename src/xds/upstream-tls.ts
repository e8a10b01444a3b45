// Mesh mTLS of a client: its own certificate, the mesh's roots, and the exact identities that may answer.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { TLS_MODE_ISTIO } from "#api/constants/labels";
import { packAny } from "#envoy/any";
import type { Cluster_TransportSocketMatchSchema } from "#envoy/gen/envoy/config/cluster/v3/cluster_pb";
import type { TransportSocketSchema } from "#envoy/gen/envoy/config/core/v3/base_pb";
import { RawBufferSchema } from "#envoy/gen/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer_pb";
import { UpstreamTlsContextSchema } from "#envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";
import { buildSniClusterName } from "#envoy/names";
import { type EndpointShards, identitiesOf, shardsOf } from "#model/endpoint";
import { expandTrustDomains } from "#model/identity";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { isHttp, isHttp2, type Protocol } from "#model/protocol";
import type { Service } from "#model/service";
import type { ClusterSpec } from "./cluster-spec.ts";
import { meshTlsContext, uriSan } from "./mesh-tls.ts";

type TransportSocket = MessageInitShape<typeof TransportSocketSchema>;

export function meshTlsSocket(snapshot: MeshSnapshot, spec: ClusterSpec): TransportSocket {
  const { service, port, subset } = spec;
  const context = create(UpstreamTlsContextSchema, {
    sni: buildSniClusterName({
      direction: "outbound",
      port: port.port,
      subset: subset?.name ?? "",
      hostname: service.hostname,
    }),
    commonTlsContext: meshTlsContext({
      alpn: offeredAlpn(port.protocol),
      ciphers: [],
      sans: allowedIdentities(snapshot, service).map((identity) => uriSan("exact", identity)),
    }),
  });
  return tlsSocket(context);
}

/** Mesh mTLS for endpoints that are marked so, plain text for all others. */
export function autoMtlsMatches(
  snapshot: MeshSnapshot,
  spec: ClusterSpec,
): MessageInitShape<typeof Cluster_TransportSocketMatchSchema>[] {
  const plain = { case: "typedConfig", value: packAny(RawBufferSchema, create(RawBufferSchema)) } as const;
  return [
    { name: "tlsMode-istio", match: { tlsMode: TLS_MODE_ISTIO }, transportSocket: meshTlsSocket(snapshot, spec) },
    {
      name: "tlsMode-disabled",
      match: {},
      transportSocket: { name: "envoy.transport_sockets.raw_buffer", configType: plain },
    },
  ];
}

/**
 * What the client offers tells the server's auto-detecting ports that HTTP follows. `istio-peer-exchange` is never
 * offered: a peer that negotiates it would wait for a metadata frame.
 */
function offeredAlpn(protocol: Protocol): string[] {
  if (isHttp2(protocol)) return ["istio-h2", "istio", "h2"];
  return isHttp(protocol) ? ["istio-http/1.1", "istio"] : ["istio"];
}

const identitySets = new WeakMap<EndpointShards, readonly string[]>();

/** The identities of all endpoints of the service in all clusters, under every trust domain of the mesh. */
function allowedIdentities(snapshot: MeshSnapshot, service: Service): readonly string[] {
  const shards = shardsOf(snapshot.endpoints, service.key);
  const found = identitySets.get(shards) ?? identitiesOf(shards);
  identitySets.set(shards, found);
  const { trustDomain, trustDomainAliases } = snapshot.mesh.config;
  return expandTrustDomains([...found, ...service.identities], trustDomain, trustDomainAliases);
}

function tlsSocket(context: Parameters<typeof packAny<typeof UpstreamTlsContextSchema>>[1]): TransportSocket {
  const value = packAny(UpstreamTlsContextSchema, context);
  return { name: "envoy.transport_sockets.tls", configType: { case: "typedConfig", value } };
}
