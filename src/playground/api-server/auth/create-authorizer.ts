import type { Logger } from "#base/logger";
import type { ClusterProcessConfig } from "../../process-config.ts";
import type { Authorizer, ObjectAccess } from "../contract.ts";
import { denial } from "./forbidden.ts";
import { createNodeAuthorizer } from "./node-authorizer.ts";
import { ruleAllows } from "./policy-rules.ts";
import { rbacIndexOf } from "./rbac-index.ts";

export interface AuthorizerOptions {
  readonly config: ClusterProcessConfig;
  readonly objects: ObjectAccess;
  readonly logger: Logger;
}

/** Members of this group pass without a look at any role, so that nobody can lock themselves out. */
export const MASTERS = "system:masters";

/**
 * Node and RBAC authorization. A denial's `reason` is Kubernetes' own sentence
 * (`User "x" cannot list resource "pods" in API group "" in the namespace "y"`); `forbiddenFor` wraps it into the 403.
 */
export function createAuthorizer({ objects, logger }: AuthorizerOptions): Authorizer {
  const rbac = rbacIndexOf(objects);
  const node = createNodeAuthorizer(objects);
  return {
    authorize(user, info) {
      if (user.groups.includes(MASTERS)) return { allowed: true, reason: "" };
      const ofNode = node(user, info);
      if (ofNode?.allowed === true) return { allowed: true, reason: "" };
      for (const { rule, origin } of rbac.rulesFor(user, info.isResource ? info.namespace : "")) {
        if (ruleAllows(rule, info)) return { allowed: true, reason: `RBAC: allowed by ${origin}` };
      }
      const opinion = ofNode?.reason ?? "";
      const reason = opinion === "" ? denial(user, info) : `${denial(user, info)}: ${opinion}`;
      logger.debug({ user: user.username, groups: user.groups }, reason);
      return { allowed: false, reason, opinion };
    },
  };
}
