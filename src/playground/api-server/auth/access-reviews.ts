// "May X do Y?" as API objects: `kubectl auth can-i`, and what servers ask before they serve a stranger.
import { badRequest, type FieldError, invalid } from "../api-errors.ts";
import type { Authorizer, JsonObject, ObjectAccess, RequestInfo, UserInfo, VirtualResource } from "../contract.ts";
import { arrayAt, isObject, objectAt, stringAt } from "../json.ts";
import { renderRule } from "./policy-rules.ts";
import { rbacIndexOf } from "./rbac-index.ts";

const GROUP = "authorization.k8s.io";

const row = (kind: string, resource: string, namespaced = false) => ({
  group: GROUP,
  version: "v1",
  kind,
  resource,
  namespaced,
  tracked: true,
});

/** subjectaccessreviews, localsubjectaccessreviews and selfsubjectaccessreviews. */
export function accessReviews(authorizer: Authorizer): VirtualResource[] {
  const answer = (body: JsonObject, user: UserInfo, namespace?: string): JsonObject => {
    const answer = authorizer.authorize(user, requestOf(body));
    const { allowed } = answer;
    // RBAC has no opinion where it does not allow, so its denial carries no reason.
    const reason = allowed ? answer.reason : (answer.opinion ?? "");
    const metadata =
      namespace === undefined ? objectAt(body, "metadata") : { ...objectAt(body, "metadata"), namespace };
    return {
      ...body,
      metadata,
      spec: withoutEmpty(objectAt(body, "spec")),
      status: reason === "" ? { allowed } : { allowed, reason },
    };
  };
  return [
    {
      ...row("SubjectAccessReview", "subjectaccessreviews"),
      create: async ({ body }) => {
        refuse([...checkAttributes(body), ...checkSubject(body)]);
        return answer(body, subjectOf(body));
      },
    },
    {
      ...row("LocalSubjectAccessReview", "localsubjectaccessreviews", true),
      create: async ({ body, namespace }) => {
        refuse([...checkAttributes(body), ...checkSubject(body), ...checkNamespace(body, namespace)]);
        return answer(body, subjectOf(body), namespace);
      },
    },
    {
      ...row("SelfSubjectAccessReview", "selfsubjectaccessreviews"),
      create: async ({ body, user }) => {
        refuse(checkAttributes(body));
        return answer(body, user);
      },
    },
  ];
}

/** Throws 422; the real server names no kind here. */
function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid({ group: GROUP, kind: "" }, "", errors);
}

function checkAttributes(body: JsonObject): FieldError[] {
  const spec = objectAt(body, "spec");
  const [resource, other] = [spec["resourceAttributes"], spec["nonResourceAttributes"]];
  if (isObject(resource) && isObject(other)) {
    const detail = "cannot be specified in combination with resourceAttributes";
    return [{ field: "spec.nonResourceAttributes", type: "FieldValueInvalid", value: inGo(other), detail }];
  }
  if (isObject(resource) || isObject(other)) return [];
  const detail = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
  return [{ field: "spec.resourceAttributes", type: "FieldValueInvalid", value: null, detail }];
}

function checkSubject(body: JsonObject): FieldError[] {
  const { username, groups } = subjectOf(body);
  if (username !== "" || groups.length > 0) return [];
  return [
    {
      field: "spec.user",
      type: "FieldValueInvalid",
      value: "",
      detail: "at least one of user or group must be specified",
    },
  ];
}

function checkNamespace(body: JsonObject, namespace: string): FieldError[] {
  const { resourceAttributes: resource, nonResourceAttributes: other } = objectAt(body, "spec");
  const errors: FieldError[] = [];
  const value = stringAt(resource, "namespace");
  if (isObject(resource) && value !== namespace) {
    const detail = "must match metadata.namespace";
    errors.push({ field: "spec.resourceAttributes.namespace", type: "FieldValueInvalid", value, detail });
  }
  if (isObject(other)) {
    const detail = "disallowed on this kind of request";
    errors.push({ field: "spec.nonResourceAttributes", type: "FieldValueInvalid", value: inGo(other), detail });
  }
  return errors;
}

/** What is empty is not told. */
function withoutEmpty(spec: JsonObject): JsonObject {
  const isTold = ([, value]: [string, unknown]) => value !== "" && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(
    Object.entries(spec)
      .filter(isTold)
      .map(([key, value]) => [key, isObject(value) ? Object.fromEntries(Object.entries(value).filter(isTold)) : value]),
  );
}

/** Messages show the fields of the server's own form. */
const inGo = (attributes: JsonObject) => ({ Path: stringAt(attributes, "path"), Verb: stringAt(attributes, "verb") });

function subjectOf(body: JsonObject): UserInfo {
  const spec = objectAt(body, "spec");
  const groups = arrayAt(spec, "groups").filter((group) => typeof group === "string");
  return { username: stringAt(spec, "user"), groups };
}

function requestOf(body: JsonObject): RequestInfo {
  const spec = objectAt(body, "spec");
  const resource = spec["resourceAttributes"];
  const other = spec["nonResourceAttributes"];
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

/** POST selfsubjectrulesreviews: `kubectl auth can-i --list`. */
export function selfSubjectRulesReview(objects: ObjectAccess): VirtualResource {
  return {
    ...row("SelfSubjectRulesReview", "selfsubjectrulesreviews"),
    tracked: false,
    async create({ body, user }) {
      const namespace = stringAt(body, "spec", "namespace");
      if (namespace === "") throw badRequest("no namespace on request");
      const rules = [...rbacIndexOf(objects).rulesFor(user, namespace)].map(({ rule }) => rule);
      return {
        kind: "SelfSubjectRulesReview",
        apiVersion: `${GROUP}/v1`,
        metadata: {},
        spec: {},
        status: {
          resourceRules: rules.filter((rule) => rule.resources.length > 0).map(renderRule),
          nonResourceRules: rules.filter((rule) => rule.nonResourceURLs.length > 0).map(renderRule),
          incomplete: false,
        },
      };
    },
  };
}
