// Mesh mTLS of a server: its own certificate, and a client certificate of the mesh's roots and trust domains.
import { create } from "@bufbuild/protobuf";
import type { MeshConfig } from "#api/mesh-config/mesh-config";
import { packAny } from "#envoy/any";
import { DownstreamTlsContextSchema } from "#envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";
import { meshTlsContext, uriSan } from "../mesh-tls.ts";
import type { FilterChain } from "./listener.ts";

const CIPHERS = [
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "AES128-GCM-SHA256",
];

/** `istio-peer-exchange` is matched by the chains but never agreed to: we send no metadata frames. */
const ALPN = ["h2", "http/1.1"];

export function meshTlsServer(config: MeshConfig): NonNullable<FilterChain["transportSocket"]> {
  const trusted = [config.trustDomain, ...config.trustDomainAliases];
  const context = create(DownstreamTlsContextSchema, {
    requireClientCertificate: true,
    commonTlsContext: meshTlsContext({
      alpn: ALPN,
      ciphers: CIPHERS,
      sans: trusted.map((domain) => uriSan("prefix", `spiffe://${domain}/`)),
    }),
  });
  return {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: packAny(DownstreamTlsContextSchema, context) },
  };
}
