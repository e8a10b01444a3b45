// Who asks: a client certificate, a service account token, or nobody (anonymous). As in Kubernetes one good credential
// suffices, a bad one beside none is 401, and an identity may ask to act as another (Impersonate-User).
import { readFileSync } from "node:fs";
import { TLSSocket } from "node:tls";
import { type Clock, systemClock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { ClusterProcessConfig } from "../../process-config.ts";
import {
  type ApiRequest,
  ApiStatusError,
  type Authenticator,
  type Authorizer,
  type ObjectAccess,
  type UserInfo,
} from "../contract.ts";
import { certificateUser, parseCertificates } from "./client-certificate.ts";
import { impersonatedUser } from "./impersonation.ts";
import { createTokenSigner } from "./service-account-tokens.ts";
import { createTokenVerifier, type TokenVerifier } from "./verify-token.ts";

export interface AuthenticatorOptions {
  readonly config: ClusterProcessConfig;
  readonly objects: ObjectAccess;
  readonly logger: Logger;
  /** Decides who may impersonate whom; without it Impersonate-* headers are refused. */
  readonly authorizer?: Authorizer;
  readonly clock?: Clock;
}

/** A connection's certificate is verified again after this time, so that its expiry ends long connections too. */
const CERTIFICATE_CACHE_MS = 60_000;

const MOST_CERTIFICATES = 1000;

interface CheckedCertificate {
  readonly user: UserInfo | undefined;
  readonly until: number;
}

const ANONYMOUS: UserInfo = { username: "system:anonymous", groups: ["system:unauthenticated"] };

/** Also answers token reviews, by `verifyServiceAccountToken`. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator & TokenVerifier {
  const clock = options.clock ?? systemClock;
  const roots = parseCertificates(readFileSync(options.config.pki.clientCaCert, "utf8"));
  const { publicKey } = createTokenSigner(options.config);
  const verifier = createTokenVerifier({ publicKey, objects: options.objects, clock });

  const checked = new WeakMap<TLSSocket, CheckedCertificate>();
  // Clients open a connection for each kind they watch, all with one certificate.
  const byFingerprint = new Map<string, CheckedCertificate>();
  const fromCertificate = (request: ApiRequest): UserInfo | undefined => {
    const socket = tlsSocketOf(request);
    if (socket === undefined) return undefined;
    const isFresh = (known: CheckedCertificate | undefined) => known !== undefined && clock.now() < known.until;
    const ofSocket = checked.get(socket);
    if (isFresh(ofSocket)) return ofSocket?.user;
    const fingerprint = socket.getPeerX509Certificate?.()?.fingerprint256 ?? "";
    let known = byFingerprint.get(fingerprint);
    if (known === undefined || !isFresh(known)) {
      known = { user: certificateUser(socket, roots, clock.now()), until: clock.now() + CERTIFICATE_CACHE_MS };
      if (byFingerprint.size >= MOST_CERTIFICATES) byFingerprint.clear();
      byFingerprint.set(fingerprint, known);
    }
    checked.set(socket, known);
    return known.user;
  };
  const fromToken = async (request: ApiRequest): Promise<UserInfo | undefined> => {
    const token = bearerToken(request);
    return token === undefined ? undefined : (await verifier.verifyServiceAccountToken(token)).user;
  };

  const identify = async (request: ApiRequest): Promise<UserInfo> => {
    const failures: string[] = [];
    for (const source of [fromCertificate, fromToken]) {
      try {
        const user = await source(request);
        if (user !== undefined) return user;
      } catch (thrown) {
        failures.push(errorMessage(thrown));
      }
    }
    if (failures.length === 0) return ANONYMOUS;
    options.logger.info({ path: request.url, errors: failures }, "request with a bad credential");
    throw new ApiStatusError(401, "Unauthorized", "Unauthorized");
  };

  return {
    ...verifier,
    async authenticate(request) {
      return impersonatedUser(await identify(request), request.headers, options.authorizer);
    },
  };
}

/** HTTP/1 requests sit on the TLS socket; HTTP/2 ones on a stream of a session that owns it. */
function tlsSocketOf(request: ApiRequest): TLSSocket | undefined {
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  // The session hands out a proxy of its socket, which still passes instanceof.
  return socket instanceof TLSSocket ? socket : undefined;
}

const WEBSOCKET_TOKEN = "base64url.bearer.authorization.k8s.io.";

/** `Authorization: Bearer T`, or for browsers a WebSocket subprotocol that carries the token in base64url. */
function bearerToken(request: ApiRequest): string | undefined {
  const [, token] = /^Bearer +(\S+)\s*$/i.exec(request.headers.authorization ?? "") ?? [];
  if (token !== undefined) return token;
  const offered = request.headers["sec-websocket-protocol"];
  const protocol = [offered ?? ""]
    .flat()
    .flatMap((line) => line.split(","))
    .find((name) => name.trim().startsWith(WEBSOCKET_TOKEN));
  if (protocol === undefined) return undefined;
  return Buffer.from(protocol.trim().slice(WEBSOCKET_TOKEN.length), "base64url").toString("utf8");
}
