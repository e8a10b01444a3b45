// "May X do Y?" as API objects: `kubectl auth can-i`, and what servers ask before they serve a stranger.
import { badRequest } from "../api-errors.ts";
import type { Authorizer, JsonObject, ObjectAccess, RequestInfo, UserInfo, VirtualResource } from "../contract.ts";
import { arrayAt, isObject, objectAt, stringAt } from "../json.ts";
import { MASTERS } from "./create-authorizer.ts";
import { type PolicyRule, renderRule } from "./policy-rules.ts";
import { rbacIndexOf } from "./rbac-index.ts";

const GROUP = "authorization.k8s.io";

const row = (kind: string, resource: string, namespaced = false) => ({
  group: GROUP,
  version: "v1",
  kind,
  resource,
  namespaced,
});

/** subjectaccessreviews, localsubjectaccessreviews and selfsubjectaccessreviews. */
export function accessReviews(authorizer: Authorizer): VirtualResource[] {
  const answer = (body: JsonObject, user: UserInfo, namespace?: string): JsonObject => {
    const { allowed, reason } = authorizer.authorize(user, requestOf(body, namespace));
    // RBAC has no opinion where it does not allow, so a denial carries no reason.
    return { ...body, status: allowed ? { allowed, reason } : { allowed } };
  };
  return [
    {
      ...row("SubjectAccessReview", "subjectaccessreviews"),
      create: async ({ body }) => answer(body, subjectOf(body)),
    },
    {
      ...row("LocalSubjectAccessReview", "localsubjectaccessreviews", true),
      create: async ({ body, namespace }) => answer(body, subjectOf(body), namespace),
    },
    {
      ...row("SelfSubjectAccessReview", "selfsubjectaccessreviews"),
      create: async ({ body, user }) => answer(body, user),
    },
  ];
}

function subjectOf(body: JsonObject): UserInfo {
  const spec = objectAt(body, "spec");
  const groups = arrayAt(spec, "groups").filter((group) => typeof group === "string");
  const username = stringAt(spec, "user");
  if (username === "" && groups.length === 0) throw badRequest("spec.user or spec.groups must be given");
  return { username, groups };
}

function requestOf(body: JsonObject, namespace: string | undefined): RequestInfo {
  const spec = objectAt(body, "spec");
  const resource = spec["resourceAttributes"];
  const other = spec["nonResourceAttributes"];
  if (isObject(resource) === isObject(other)) {
    throw badRequest("exactly one of spec.resourceAttributes and spec.nonResourceAttributes must be given");
  }
  if (namespace !== undefined && stringAt(resource, "namespace") !== namespace) {
    throw badRequest(`spec.resourceAttributes.namespace must match the namespace of the review, ${namespace}`);
  }
  const text = (key: string) => stringAt(resource, key);
  return {
    isResource: isObject(resource),
    path: stringAt(other, "path"),
    verb: isObject(resource) ? text("verb") : stringAt(other, "verb"),
    group: text("group"),
    version: text("version"),
    resource: text("resource"),
    subresource: text("subresource"),
    namespace: text("namespace"),
    name: text("name"),
  };
}

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [], nonResourceURLs: [] },
  { verbs: ["*"], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ["*"] },
];

/** POST selfsubjectrulesreviews: `kubectl auth can-i --list`. */
export function selfSubjectRulesReview(objects: ObjectAccess): VirtualResource {
  return {
    ...row("SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    async create({ body, user }) {
      const namespace = stringAt(body, "spec", "namespace");
      if (namespace === "") throw badRequest("no namespace on request");
      const held = [...rbacIndexOf(objects).rulesFor(user, namespace)].map(({ rule }) => rule);
      const rules = user.groups.includes(MASTERS) ? [...EVERYTHING, ...held] : held;
      return {
        ...body,
        status: {
          resourceRules: rules.filter((rule) => rule.resources.length > 0).map(renderRule),
          nonResourceRules: rules.filter((rule) => rule.nonResourceURLs.length > 0).map(renderRule),
          incomplete: false,
        },
      };
    },
  };
}
