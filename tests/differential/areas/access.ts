// Who may what: roles and bindings, refusals of several users, impersonation, tokens, reviews.
import { builtin, type SequenceBuilder } from "../generate/builder.ts";
import type { Json, JsonMap } from "../step.ts";
import type { Area } from "./area.ts";

const role = builtin("rbac.authorization.k8s.io", "Role");
const binding = builtin("rbac.authorization.k8s.io", "RoleBinding");
const configMap = builtin("", "ConfigMap");
const account = builtin("", "ServiceAccount");

const USERS = ["alice", "bob", "carol", "anonymous"];

export const rbac: Area = {
  name: "rbac",
  weight: 7,
  held: true,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    builder.create(configMap, "a");
    const rules = random.pick<JsonMap[]>([
      [{ apiGroups: [""], resources: ["configmaps"], verbs: ["get", "list", "watch"] }],
      [
        { apiGroups: [""], resources: ["configmaps"], verbs: ["*"] },
        { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "create"] },
      ],
      [{ apiGroups: ["*"], resources: ["*"], verbs: ["get"] }],
      [
        {
          apiGroups: [""],
          resources: ["configmaps"],
          resourceNames: ["a"],
          verbs: ["get", "update", "patch", "delete"],
        },
      ],
      [{ apiGroups: [""], resources: ["pods/log", "serviceaccounts/token"], verbs: ["get", "create"] }],
      [{ apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles", "rolebindings"], verbs: ["*"] }],
      [
        {
          apiGroups: ["rbac.authorization.k8s.io"],
          resources: ["roles", "rolebindings"],
          verbs: ["get", "create", "update", "patch", "delete"],
        },
        { apiGroups: [""], resources: ["configmaps", "*/log"], verbs: ["get", "list"] },
        { apiGroups: ["apps"], resources: ["*"], verbs: ["get"], resourceNames: ["a"] },
      ],
      [
        {
          apiGroups: ["rbac.authorization.k8s.io"],
          resources: ["roles", "rolebindings", "clusterroles"],
          verbs: ["get", "create", "update", "patch", "bind"],
          resourceNames: random.pick([[], ["e", "r", "view"]]),
        },
      ],
    ]);
    const grants = JSON.stringify(rules).includes("rolebindings");
    builder.create(role, "r", { more: { rules } });
    const subjects = random.pick<JsonMap[]>([
      [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "alice" }],
      [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "dev" }],
      [
        { kind: "ServiceAccount", name: "default", namespace: "{{ns}}" },
        { kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "alice" },
      ],
    ]);
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "r" };
    builder.create(binding, "r", { more: { roleRef, subjects } });
    awaitRole(builder, rules[0] ?? {});
    const turns = 5 + random.int(8);
    for (let i = 0; i < turns; i++) {
      if (grants && random.chance(0.4)) escalate(builder, { user: "alice" });
      else attempt(builder);
    }
  },
};

/** The binding counts a moment after it was made: asked for alice, who is in every one. */
function awaitRole(builder: SequenceBuilder, rule: JsonMap): void {
  const first = (field: string) => ((rule[field] as string[] | undefined) ?? [""])[0]?.replace("*", "pods") ?? "";
  const [resource = "", subresource] = first("resources").split("/");
  const attributes = {
    namespace: "{{ns}}",
    group: first("apiGroups") === "pods" ? "" : first("apiGroups"),
    resource,
    ...(subresource === undefined ? {} : { subresource }),
    verb: first("verbs").replace("pods", "get"),
    name: "a",
  };
  const json = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SubjectAccessReview",
    spec: { user: "alice", groups: ["dev"], resourceAttributes: attributes },
  };
  builder.send("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
    body: { json },
    verb: "create",
    kindName: "SubjectAccessReview",
    until: { contains: '"allowed":true' },
  });
}

function attempt(builder: SequenceBuilder): void {
  const { random } = builder;
  const user = random.pick(USERS);
  const headers = random.chance(0.25) ? impersonation(builder) : undefined;
  const as = {
    user: headers === undefined ? user : random.pick(["admin", "admin", "alice"]),
    ...(headers === undefined ? {} : { headers }),
  };
  const kind = random.pick([configMap, configMap, builtin("apps", "Deployment"), role, binding, builtin("", "Secret")]);
  const roll = random.int(12);
  if (roll < 3) builder.get(kind, random.pick(["a", "b"]), as);
  else if (roll < 4) builder.list(kind, as);
  else if (roll < 6) builder.create(kind, random.pick(["b", "c"]), as);
  else if (roll < 7) builder.delete(kind, random.pick(["a", "b"]), as);
  else if (roll < 8) builder.patch(kind, "a", { type: "merge", body: { metadata: { labels: { app: "a" } } } }, as);
  else if (roll < 9)
    builder.send(
      "GET",
      random.pick([
        "/api/v1/nodes",
        "/api/v1/namespaces/{{ns}}/pods/a/log",
        "/api/v1/pods",
        "/apis/example.com/v1/nothing",
        "/api/v1/namespaces/{{ns}}",
        "/api/v1/namespaces",
      ]),
      { ...as, verb: "get", kindName: "path" },
    );
  else if (roll < 10)
    builder.send(
      "GET",
      random.pick([
        "/healthz",
        "/version",
        "/metrics/none",
        "/api",
        "/apis/batch",
        "/openapi/none",
        "/logs",
        "/.well-known/openid-configuration",
        "/configz",
      ]),
      {
        ...as,
        verb: "get",
        kindName: "path",
        ...(as.user === "admin" && headers === undefined ? { user: "carol" } : {}),
      },
    );
  else if (roll < 11)
    builder.send("DELETE", builder.collection(kind), {
      ...as,
      verb: "deletecollection",
      kindName: kind.kind,
      query: { labelSelector: "app=zz" },
    });
  else escalate(builder, as);
}

const GRANTS: readonly JsonMap[] = [
  { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list"] },
  { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] },
  { apiGroups: ["", "apps"], resources: ["pods", "configmaps"], verbs: ["list", "get", "*"] },
  { apiGroups: [""], resources: ["pods/log", "pods"], verbs: ["get"] },
  { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "watch"], resourceNames: ["a", "b"] },
  { apiGroups: ["rbac.authorization.k8s.io"], resources: ["roles"], verbs: ["escalate", "get"] },
  { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
];

/**
 * Roles that grant more than their maker has, and bindings of them. Nobody who asks here is bound by them: what a change
 * of somebody's own rights allows, a real server knows only a moment later.
 */
function escalate(builder: SequenceBuilder, as: { user: string; headers?: Record<string, string> }): void {
  const { random } = builder;
  const name = "e";
  const roll = random.int(6);
  const rules = random.some(GRANTS, 1).slice(0, 3);
  if (roll < 2) return void builder.create(role, name, { ...as, more: { rules } });
  if (roll < 3) return void builder.patch(role, name, { type: "merge", body: { rules } }, as);
  if (roll < 4) {
    const body = random.pick<JsonMap>([
      { subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "erin" }] },
      { metadata: { finalizers: ["example.com/one"] } },
      { metadata: { labels: { app: "e" } } },
      { roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" } },
    ]);
    return void builder.patch(binding, name, { type: "merge", body }, as);
  }
  const roleRef = {
    apiGroup: "rbac.authorization.k8s.io",
    kind: random.pick(["ClusterRole", "Role", "Role", "Own"]),
    name: random.pick(["view", "none-such", "r", "e", "cluster-admin", "system:basic-user"]),
  };
  builder.create(binding, "e", { ...as, more: { roleRef, subjects: [] } });
}

function impersonation({ random }: SequenceBuilder): Record<string, string> {
  return random.pick<Record<string, string>>([
    { "impersonate-user": "alice" },
    { "impersonate-user": "alice", "impersonate-group": "dev" },
    { "impersonate-user": "dave-{{seq}}" },
    { "impersonate-user": "system:serviceaccount:{{ns}}:default" },
    { "impersonate-group": "dev" },
    { "impersonate-user": "alice", "impersonate-extra-scopes": "x" },
    { "impersonate-user": "alice", "impersonate-uid": "some-uid" },
    { "impersonate-uid": "some-uid" },
    { "impersonate-group": "dev", "impersonate-extra-scopes": "x", "impersonate-uid": "u" },
    { "impersonate-user": "alice", "impersonate-group": "system:unauthenticated" },
    { "impersonate-user": "system:anonymous", "impersonate-group": "dev" },
    { "impersonate-user": "admin", "impersonate-group": "system:masters" },
    { "impersonate-user": "system:serviceaccount:{{ns}}:default", "impersonate-group": "dev" },
    { "impersonate-user": "system:anonymous" },
  ]);
}

export const tokens: Area = {
  name: "tokens",
  weight: 4,
  held: true,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    builder.create(account, "a");
    const turns = 2 + random.int(4);
    for (let i = 0; i < turns; i++) {
      const made = requestToken(builder);
      if (random.chance(0.7)) reviewToken(builder, made);
      if (random.chance(0.4)) useToken(builder, made);
    }
    if (random.chance(0.3)) endOfAccount(builder, requestToken(builder));
  },
};

/** Its tokens go with it, a moment later. */
function endOfAccount(builder: SequenceBuilder, made: number): void {
  builder.delete(account, "a");
  const json = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenReview",
    spec: { token: `{{${made}:status.token}}` },
  };
  const until = { contains: '"error"' };
  builder.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
    verb: "create",
    kindName: "TokenReview",
    body: { json },
    until,
  });
}

function requestToken(builder: SequenceBuilder): number {
  const { random } = builder;
  const spec = random.pick<Json>([
    {},
    { audiences: ["istio-ca"] },
    { audiences: ["istio-ca", "other"], expirationSeconds: 3600 },
    { expirationSeconds: 600 },
    { expirationSeconds: 10 },
    { audiences: [] },
    { audiences: [""] },
    { boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "none" } },
    { boundObjectRef: { kind: "ConfigMap", apiVersion: "v1", name: "a" } },
    { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "none" } },
    { expirationSeconds: 10_000_000_000 },
    { audiences: ["https://kubernetes.default.svc.cluster.local"], expirationSeconds: 7200 },
  ]);
  const json = {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec,
    ...(random.chance(0.1) ? { metadata: { name: "other" } } : {}),
  };
  return builder.send("POST", builder.at(account, random.pick(["a", "a", "a", "default", "none"]), "token"), {
    verb: "create",
    kindName: "TokenRequest",
    body: { json },
    user: random.chance(0.9) ? "admin" : "alice",
  });
}

function reviewToken(builder: SequenceBuilder, made: number): void {
  const { random } = builder;
  const token = random.pick([
    `{{${made}:status.token}}`,
    `{{${made}:status.token}}`,
    `{{${made}:status.token}}x`,
    "garbage",
    "",
  ]);
  const spec = {
    token,
    ...random.pick<JsonMap>([{}, { audiences: ["istio-ca"] }, { audiences: ["else"] }, { audiences: [] }]),
  };
  const json = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec };
  builder.send("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
    verb: "create",
    kindName: "TokenReview",
    body: { json },
  });
}

function useToken(builder: SequenceBuilder, made: number): void {
  const { random } = builder;
  const headers = { authorization: `Bearer {{${made}:status.token}}${random.chance(0.1) ? "x" : ""}` };
  const as = { user: "anonymous", headers };
  const roll = random.int(3);
  if (roll === 0) builder.get(account, "a", as);
  else if (roll === 1) builder.send("GET", "/apis/apps", { ...as, verb: "get" });
  else {
    const json = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    builder.send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      ...as,
      verb: "create",
      kindName: "SelfSubjectReview",
      body: { json },
    });
  }
}

export const reviews: Area = {
  name: "reviews",
  weight: 4,
  held: true,
  make(builder) {
    const { random } = builder;
    builder.namespace();
    const turns = 4 + random.int(5);
    for (let i = 0; i < turns; i++) review(builder);
  },
};

const RESOURCES: readonly JsonMap[] = [
  { namespace: "{{ns}}", verb: "get", resource: "pods" },
  { verb: "list", resource: "nodes" },
  { namespace: "{{ns}}", verb: "create", group: "apps", resource: "deployments", subresource: "scale", name: "a" },
  { verb: "*", group: "*", resource: "*" },
  { verb: "get", resource: "configmaps", fieldSelector: { rawSelector: "metadata.name=a" } },
  {},
];

function review(builder: SequenceBuilder): void {
  const { random } = builder;
  const attributes = random.pick<JsonMap>([
    { resourceAttributes: random.pick(RESOURCES) },
    { resourceAttributes: random.pick(RESOURCES) },
    { nonResourceAttributes: { path: random.pick(["/metrics", "/healthz", "/api"]), verb: "get" } },
    { resourceAttributes: random.pick(RESOURCES), nonResourceAttributes: { path: "/x", verb: "get" } },
    {},
  ]);
  const subject = random.pick<JsonMap>([
    { user: "alice", groups: ["dev"] },
    { user: "admin", groups: ["system:masters"] },
    { groups: ["dev"] },
    {},
    { user: "system:serviceaccount:{{ns}}:default", uid: "x", extra: { scopes: ["a"] } },
  ]);
  const { kind, path, spec } = random.pick([
    {
      kind: "SubjectAccessReview",
      path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      spec: { ...attributes, ...subject },
    },
    {
      kind: "SelfSubjectAccessReview",
      path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
      spec: attributes,
    },
    {
      kind: "LocalSubjectAccessReview",
      path: "/apis/authorization.k8s.io/v1/namespaces/{{ns}}/localsubjectaccessreviews",
      spec: { ...attributes, ...subject },
    },
    {
      kind: "SelfSubjectRulesReview",
      path: "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
      spec: random.pick<JsonMap>([{ namespace: "{{ns}}" }, {}]),
    },
    { kind: "SelfSubjectReview", path: "/apis/authentication.k8s.io/v1/selfsubjectreviews", spec: null },
  ]);
  const group = kind === "SelfSubjectReview" ? "authentication.k8s.io" : "authorization.k8s.io";
  const json: JsonMap = {
    apiVersion: `${group}/v1`,
    kind,
    ...(spec === null ? {} : { spec }),
  };
  builder.send(random.chance(0.95) ? "POST" : "GET", path, {
    verb: "create",
    kindName: kind,
    body: { json },
    user: random.pick(["admin", "admin", "alice", "carol", "anonymous"]),
    query: { dryRun: random.chance(0.05) ? "All" : undefined },
  });
}
