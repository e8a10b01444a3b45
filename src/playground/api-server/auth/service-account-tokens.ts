// Service account tokens: RS256 JWTs of the cluster's issuer. Two shapes exist side by side: bound tokens of TokenRequest
// (audience, expiry, tied to a pod or Secret) and the endless ones in Secrets of type service-account-token.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { SignJWT } from "jose";
import type { ClusterProcessConfig } from "../../process-config.ts";
import type { JsonObject } from "../contract.ts";

export const TOKEN_ISSUER = "https://kubernetes.default.svc.cluster.local";
/** `iss` of the tokens in Secrets. */
export const LEGACY_ISSUER = "kubernetes/serviceaccount";
/** What a token is for when nobody says: the API server itself. */
export const API_AUDIENCES: readonly string[] = [TOKEN_ISSUER];

const ALGORITHM = "RS256";

interface NameAndUid {
  readonly name: string;
  readonly uid: string;
}

export interface BoundTokenRequest {
  readonly namespace: string;
  readonly serviceAccount: NameAndUid;
  readonly audiences: readonly string[];
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly pod?: NameAndUid;
  readonly secret?: NameAndUid;
  readonly node?: NameAndUid;
}

export interface LegacyTokenRequest {
  readonly namespace: string;
  readonly secretName: string;
  readonly serviceAccount: NameAndUid;
}

/** Signs tokens of one cluster; the same inputs give the same legacy token. */
export interface TokenSigner {
  readonly publicKey: KeyObject;
  signBound(request: BoundTokenRequest): Promise<string>;
  /** The token of a Secret of type kubernetes.io/service-account-token; it has no expiry. */
  signLegacy(request: LegacyTokenRequest): Promise<string>;
  /** The public key as a JSON Web Key Set, for /openid/v1/jwks. */
  jwks(): JsonObject;
}

/** Loads the cluster's signing key. Throws when the file cannot be read or holds no RSA key. */
export function createTokenSigner(config: {
  readonly pki: Pick<ClusterProcessConfig["pki"], "serviceAccountKey">;
}): TokenSigner {
  const privateKey = createPrivateKey(readFileSync(config.pki.serviceAccountKey));
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64url");
  const sign = (claims: Record<string, unknown>) =>
    new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, kid: keyId }).sign(privateKey);
  return {
    publicKey,
    signBound: (request) => sign(boundClaims(request)),
    signLegacy: (request) => sign(legacyClaims(request)),
    jwks() {
      const { kty = "RSA", n = "", e = "" } = publicKey.export({ format: "jwk" });
      return { keys: [{ use: "sig", kty, kid: keyId, alg: ALGORITHM, n, e }] };
    },
  };
}

function boundClaims(request: BoundTokenRequest): Record<string, unknown> {
  const { namespace, serviceAccount, node, pod, secret } = request;
  return {
    aud: request.audiences,
    exp: request.expiresAt,
    iat: request.issuedAt,
    iss: TOKEN_ISSUER,
    jti: randomUUID(),
    "kubernetes.io": {
      namespace,
      ...(node === undefined ? {} : { node }),
      ...(pod === undefined ? {} : { pod }),
      ...(secret === undefined ? {} : { secret }),
      serviceaccount: serviceAccount,
    },
    nbf: request.issuedAt,
    sub: serviceAccountUser(namespace, serviceAccount.name),
  };
}

function legacyClaims({ namespace, secretName, serviceAccount }: LegacyTokenRequest): Record<string, unknown> {
  return {
    iss: LEGACY_ISSUER,
    "kubernetes.io/serviceaccount/namespace": namespace,
    "kubernetes.io/serviceaccount/secret.name": secretName,
    "kubernetes.io/serviceaccount/service-account.name": serviceAccount.name,
    "kubernetes.io/serviceaccount/service-account.uid": serviceAccount.uid,
    sub: serviceAccountUser(namespace, serviceAccount.name),
  };
}

export function serviceAccountUser(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}

function openidConfiguration(serverAddress: string): JsonObject {
  return {
    issuer: TOKEN_ISSUER,
    jwks_uri: `https://${serverAddress}/openid/v1/jwks`,
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: [ALGORITHM],
  };
}

/** The documents by which others can verify the cluster's tokens, by path; any service account may read them. */
export function openidDocuments(
  config: Pick<ClusterProcessConfig, "pki">,
): Record<string, (serverAddress: string) => JsonObject> {
  const keys = createTokenSigner(config).jwks();
  return {
    "/.well-known/openid-configuration": openidConfiguration,
    "/openid/v1/jwks": () => keys,
  };
}
