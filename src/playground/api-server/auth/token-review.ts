import { systemClock } from "#base/clock";
import { errorMessage } from "#base/mesh-error";
import { timestamp } from "../api-context.ts";
import { badRequest } from "../api-errors.ts";
import type { JsonObject, UserInfo, VirtualResource } from "../contract.ts";
import { arrayAt, objectAt, stringAt } from "../json.ts";
import { API_AUDIENCES, LEGACY_ISSUER, TOKEN_ISSUER } from "./service-account-tokens.ts";
import type { TokenVerifier } from "./verify-token.ts";

/** UserInfo as it travels in reviews. */
export function userJson(user: UserInfo): JsonObject {
  const extra: JsonObject = {};
  for (const [key, values] of Object.entries(user.extra ?? {})) extra[key] = [...values];
  return {
    username: user.username,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: [...user.groups],
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** POST tokenreviews: whose token is this, and is it meant for one of these audiences? */
export function tokenReview(verifier: TokenVerifier): VirtualResource {
  return {
    group: "authentication.k8s.io",
    version: "v1",
    kind: "TokenReview",
    resource: "tokenreviews",
    namespaced: false,
    tracked: true,
    async create({ body }) {
      const token = stringAt(body, "spec", "token");
      if (token === "") throw badRequest("token is required for TokenReview in authentication");
      const asked = arrayAt(body, "spec", "audiences").filter((item) => typeof item === "string");
      const { audiences: _, ...spec } = objectAt(body, "spec");
      const shown = asked.length > 0 ? { ...spec, audiences: asked } : spec;
      return { ...body, spec: shown, status: await review(verifier, token, asked) };
    },
  };
}

async function review(verifier: TokenVerifier, token: string, asked: readonly string[]): Promise<JsonObject> {
  try {
    const { user, audiences } = await verifier.verifyServiceAccountToken(
      token,
      asked.length > 0 ? asked : API_AUDIENCES,
    );
    return { authenticated: true, user: userJson(user), audiences: [...audiences] };
  } catch (thrown) {
    const message = errorMessage(thrown);
    // What is no token of this server is nobody's business to explain.
    return { user: {}, error: isForeign(token) ? "invalid bearer token" : `[invalid bearer token, ${message}]` };
  }
}

/** POST selfsubjectreviews: `kubectl auth whoami`. */
export function selfSubjectReview(): VirtualResource {
  return {
    group: "authentication.k8s.io",
    version: "v1",
    kind: "SelfSubjectReview",
    resource: "selfsubjectreviews",
    namespaced: false,
    create: async ({ user, body: { kind, apiVersion } }) => ({
      ...(kind === undefined ? {} : { kind }),
      ...(apiVersion === undefined ? {} : { apiVersion }),
      metadata: { creationTimestamp: timestamp(systemClock.now()) },
      status: { userInfo: userJson(user) },
    }),
  };
}

/** Not in the form of a token, or of another issuer. */
function isForeign(token: string): boolean {
  const claims = token.split(".")[1];
  if (claims === undefined) return true;
  try {
    const issuer: unknown = JSON.parse(Buffer.from(claims, "base64url").toString()).iss;
    return issuer !== TOKEN_ISSUER && issuer !== LEGACY_ISSUER;
  } catch {
    return true;
  }
}
