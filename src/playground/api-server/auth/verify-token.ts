import type { KeyObject } from "node:crypto";
import { errors, type JWTPayload, jwtVerify } from "jose";
import { type Clock, systemClock } from "#base/clock";
import type { JsonObject, ObjectAccess, UserInfo } from "../contract.ts";
import { isObject, objectAt, stringAt } from "../json.ts";
import { API_AUDIENCES, LEGACY_ISSUER, serviceAccountUser, TOKEN_ISSUER } from "./service-account-tokens.ts";

/** How long a pod may still use its token after its deletion began: it has to say goodbye somehow. */
const DELETED_POD_LEEWAY_MS = 60_000;
const LEGACY = "kubernetes.io/serviceaccount";
const EXTRA = "authentication.kubernetes.io";

export interface VerifiedToken {
  readonly user: UserInfo;
  /** Those of the wanted audiences that the token is good for. */
  readonly audiences: readonly string[];
}

export interface TokenVerifierOptions {
  readonly publicKey: KeyObject;
  readonly objects: ObjectAccess;
  readonly clock?: Clock;
}

export interface TokenVerifier {
  /** Resolves when the token is good for at least one audience; throws an Error that says why not. */
  verifyServiceAccountToken(token: string, audiences?: readonly string[]): Promise<VerifiedToken>;
}

interface Bindings {
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  readonly pod: JsonObject | undefined;
  readonly secret: JsonObject | undefined;
  readonly node: JsonObject | undefined;
  readonly credentialId: string | undefined;
}

/** A token counts only while what it is tied to exists with the same uid, so each call looks at the live objects. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const clock = options.clock ?? systemClock;
  return {
    async verifyServiceAccountToken(token, audiences = API_AUDIENCES) {
      const { payload } = await jwtVerify(token, options.publicKey, {
        algorithms: ["RS256"],
        currentDate: new Date(clock.now()),
      }).catch(inKubernetesWords);
      const bindings = readBindings(payload);
      const good = matchAudiences(payload, audiences);
      checkServiceAccount(options.objects, bindings, payload.sub);
      if (payload.iss === LEGACY_ISSUER) checkSecretToken(options.objects, bindings, token);
      else checkBoundObjects(options.objects, bindings, clock.now());
      return { user: userOf(bindings), audiences: good };
    },
  };
}

/** Clients see this sentence in token reviews. */
function inKubernetesWords(thrown: unknown): never {
  if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) throw thrown;
  throw new Error("go-jose/go-jose: error in cryptographic primitive");
}

function readBindings(payload: JWTPayload): Bindings {
  if (payload.iss === LEGACY_ISSUER) {
    const claim = (name: string) => String(payload[`${LEGACY}/${name}`] ?? "");
    return {
      namespace: claim("namespace"),
      serviceAccount: { name: claim("service-account.name"), uid: claim("service-account.uid") },
      secret: { name: claim("secret.name") },
      pod: undefined,
      node: undefined,
      credentialId: undefined,
    };
  }
  if (payload.iss !== TOKEN_ISSUER || typeof payload.exp !== "number") throw new Error("token of an unknown issuer");
  const claims = payload["kubernetes.io"] as JsonObject | undefined;
  const part = (name: string) => (isObject(claims?.[name]) ? objectAt(claims, name) : undefined);
  return {
    namespace: stringAt(claims, "namespace"),
    serviceAccount: {
      name: stringAt(claims, "serviceaccount", "name"),
      uid: stringAt(claims, "serviceaccount", "uid"),
    },
    pod: part("pod"),
    secret: part("secret"),
    node: part("node"),
    credentialId: payload.jti === undefined ? undefined : `JTI=${payload.jti}`,
  };
}

function checkServiceAccount(objects: ObjectAccess, bindings: Bindings, subject: string | undefined): void {
  const { namespace, serviceAccount } = bindings;
  if (subject !== serviceAccountUser(namespace, serviceAccount.name)) throw new Error("token subject does not match");
  const found = objects.get("", "serviceaccounts", namespace, serviceAccount.name);
  if (found === undefined) throw new Error(`serviceaccounts "${serviceAccount.name}" not found`);
  if (stringAt(found, "metadata", "uid") !== serviceAccount.uid) {
    throw new Error(`service account ${namespace}/${serviceAccount.name} has been deleted`);
  }
}

function checkSecretToken(objects: ObjectAccess, { namespace, secret }: Bindings, token: string): void {
  const found = objects.get("", "secrets", namespace, stringAt(secret, "name"));
  const stored = Buffer.from(stringAt(found, "data", "token"), "base64").toString("utf8");
  if (found === undefined || stored !== token) throw new Error("token has been invalidated");
}

function checkBoundObjects(objects: ObjectAccess, bindings: Bindings, now: number): void {
  for (const [resource, claim] of [["pods", bindings.pod] as const, ["secrets", bindings.secret] as const]) {
    if (claim === undefined) continue;
    const found = objects.get("", resource, bindings.namespace, stringAt(claim, "name"));
    const deleted = stringAt(found, "metadata", "deletionTimestamp");
    const gone = deleted !== "" && Date.parse(deleted) + DELETED_POD_LEEWAY_MS < now;
    if (found === undefined || gone || stringAt(found, "metadata", "uid") !== stringAt(claim, "uid")) {
      throw new Error(`the object that the token is bound to (${resource}) has been deleted`);
    }
  }
}

function matchAudiences(payload: JWTPayload, wanted: readonly string[]): readonly string[] {
  // Tokens in Secrets carry no audience: they are meant for the API server.
  const carried = payload.iss === LEGACY_ISSUER ? API_AUDIENCES : [payload.aud ?? []].flat();
  const good = wanted.filter((audience) => carried.includes(audience));
  if (good.length > 0) return good;
  const list = (values: readonly string[]) => `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
  throw new Error(`token audiences ${list(carried)} is invalid for the target audiences ${list(wanted)}`);
}

function userOf({ namespace, serviceAccount, pod, node, credentialId }: Bindings): UserInfo {
  const extra: Record<string, string[]> = {};
  if (credentialId !== undefined) extra[`${EXTRA}/credential-id`] = [credentialId];
  for (const [kind, claim] of [["pod", pod] as const, ["node", node] as const]) {
    if (claim === undefined) continue;
    extra[`${EXTRA}/${kind}-name`] = [stringAt(claim, "name")];
    extra[`${EXTRA}/${kind}-uid`] = [stringAt(claim, "uid")];
  }
  return {
    username: serviceAccountUser(namespace, serviceAccount.name),
    uid: serviceAccount.uid,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}
