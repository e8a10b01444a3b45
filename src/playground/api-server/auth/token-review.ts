import { errorMessage } from "#base/mesh-error";
import { badRequest } from "../api-errors.ts";
import type { JsonObject, UserInfo, VirtualResource } from "../contract.ts";
import { arrayAt, objectAt, stringAt } from "../json.ts";
import { API_AUDIENCES } from "./service-account-tokens.ts";
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
    async create({ body }) {
      const token = stringAt(body, "spec", "token");
      if (token === "") throw badRequest("token is required for TokenReview in authentication");
      const asked = arrayAt(body, "spec", "audiences").filter((item) => typeof item === "string");
      return { ...body, spec: objectAt(body, "spec"), status: await review(verifier, token, asked) };
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
    return { user: {}, error: `[invalid bearer token, ${errorMessage(thrown)}]` };
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
    create: async ({ user, body }) => ({ ...body, status: { userInfo: userJson(user) } }),
  };
}
