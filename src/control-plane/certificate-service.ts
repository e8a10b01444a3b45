import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { CREATE_CERTIFICATE_METHOD, decodeCertificateRequest, encodeCertificateResponse } from "#envoy/istio-ca";
import { GrpcError } from "#grpc/grpc-error";
import type { ServerCall, UnaryMethod } from "#grpc/server-call";
import type { CertificateAuthority } from "#pki/certificate-authority";
import type { Authenticate } from "./authenticate.ts";

/** What the service counts; each may be called any number of times. */
export interface CertificateMeters {
  request(): void;
  issued(): void;
  unauthenticated(): void;
  failed(): void;
}

export interface CertificateServiceOptions {
  readonly authority: () => CertificateAuthority;
  readonly authenticate: Authenticate;
  /** Seconds, for a request that names no life. */
  readonly defaultTtl: number;
  /** Seconds; a request for more is refused. */
  readonly maxTtl: number;
  readonly meters: CertificateMeters;
  readonly logger: Logger;
}

/** Istio's CreateCertificate: a certificate for the caller's own identity, whatever names its request holds. */
export function certificateService(options: CertificateServiceOptions): UnaryMethod {
  return {
    kind: "unary",
    path: CREATE_CERTIFICATE_METHOD,
    async handle(request, call) {
      options.meters.request();
      const identity = await identify(options, call);
      const { csr, validitySeconds, metadata } = decode(request);
      if (metadata["ImpersonatedIdentity"]) {
        throw new GrpcError("permissionDenied", `${identity.uri} may not ask for a certificate of somebody else`);
      }
      const ttl = lifeOf(validitySeconds, options);
      try {
        const signed = await options.authority().sign(csr, identity.uri, ttl);
        options.meters.issued();
        options.logger.debug({ identity: identity.uri, notAfter: signed.notAfter }, "issued a certificate");
        return encodeCertificateResponse(signed.answer);
      } catch (thrown) {
        options.meters.failed();
        options.logger.warn({ identity: identity.uri, error: errorMessage(thrown) }, "refused a certificate request");
        throw new GrpcError("invalidArgument", errorMessage(thrown));
      }
    },
  };
}

async function identify(options: CertificateServiceOptions, call: ServerCall) {
  try {
    return await options.authenticate({
      uris: call.peer.uris,
      authorization: call.metadata["authorization"],
      clusterId: call.metadata["clusterid"],
      signal: call.signal,
    });
  } catch (thrown) {
    options.meters.unauthenticated();
    options.logger.warn({ peer: call.peer.address, error: errorMessage(thrown) }, "refused a caller");
    throw thrown;
  }
}

function decode(request: Buffer) {
  try {
    return decodeCertificateRequest(request);
  } catch (thrown) {
    throw new GrpcError("invalidArgument", `the request is not an IstioCertificateRequest: ${errorMessage(thrown)}`);
  }
}

function lifeOf(asked: number, options: CertificateServiceOptions): number {
  if (asked <= 0) return options.defaultTtl;
  if (asked <= options.maxTtl) return asked;
  throw new GrpcError(
    "invalidArgument",
    `a certificate may live ${options.maxTtl} s at most, ${asked} s were asked for (MAX_WORKLOAD_CERT_TTL)`,
  );
}
