// What both ends of mesh mTLS have in common: the agent's certificate, the mesh's roots, and whom to believe.
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  SubjectAltNameMatcher_SanType,
  type SubjectAltNameMatcherSchema,
  TlsParameters_TlsProtocol,
} from "#envoy/gen/envoy/extensions/transport_sockets/tls/v3/common_pb";
import type { CommonTlsContextSchema } from "#envoy/gen/envoy/extensions/transport_sockets/tls/v3/tls_pb";
import { FIXED_NAMES } from "#envoy/names";
import { secretSource } from "./config-source.ts";

export interface MeshTls {
  readonly alpn: readonly string[];
  readonly sans: readonly MessageInitShape<typeof SubjectAltNameMatcherSchema>[];
  /** TLS 1.2 ciphers; empty means Envoy's own choice. */
  readonly ciphers: readonly string[];
}

export function meshTlsContext({ alpn, sans, ciphers }: MeshTls): MessageInitShape<typeof CommonTlsContextSchema> {
  return {
    alpnProtocols: [...alpn],
    tlsParams: {
      tlsMinimumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_2,
      tlsMaximumProtocolVersion: TlsParameters_TlsProtocol.TLSv1_3,
      cipherSuites: [...ciphers],
    },
    tlsCertificateSdsSecretConfigs: [secretSource(FIXED_NAMES.secretDefault)],
    validationContextType: {
      case: "combinedValidationContext",
      value: {
        defaultValidationContext: { matchTypedSubjectAltNames: [...sans] },
        validationContextSdsSecretConfig: secretSource(FIXED_NAMES.secretRoot),
      },
    },
  };
}

/** Believes a certificate by its SPIFFE id. */
export function uriSan(how: "exact" | "prefix", value: string): MessageInitShape<typeof SubjectAltNameMatcherSchema> {
  return { sanType: SubjectAltNameMatcher_SanType.URI, matcher: { matchPattern: { case: how, value } } };
}
