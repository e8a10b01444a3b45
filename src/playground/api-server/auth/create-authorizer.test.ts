import { beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { type MemoryObjects, memoryObjects } from "../../../../tests/kit/memory-objects.ts";
import type { ClusterProcessConfig } from "../../process-config.ts";
import type { Authorizer, JsonObject, RequestInfo, UserInfo } from "../contract.ts";
import { stringAt } from "../json.ts";
import { bootstrapPolicy } from "./bootstrap-policy.ts";
import { createAuthorizer } from "./create-authorizer.ts";
import { forbiddenFor } from "./forbidden.ts";
import { RBAC_GROUP } from "./rbac-index.ts";

const PLURALS: Record<string, string> = {
  Role: "roles",
  ClusterRole: "clusterroles",
  RoleBinding: "rolebindings",
  ClusterRoleBinding: "clusterrolebindings",
};

let objects: MemoryObjects;
let authorizer: Authorizer;

beforeEach(() => {
  objects = memoryObjects();
  authorizer = createAuthorizer({ config: {} as ClusterProcessConfig, objects, logger: silentLogger() });
  // After the authorizer: it must follow the store.
  for (const object of bootstrapPolicy()) put(object);
});

const put = (object: JsonObject) => objects.put(RBAC_GROUP, PLURALS[stringAt(object, "kind")] ?? "", object);

const role = (name: string, rules: JsonObject[], namespace?: string): JsonObject => ({
  kind: namespace === undefined ? "ClusterRole" : "Role",
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  rules,
});

const bind = (roleKind: string, roleName: string, subject: JsonObject, namespace?: string): JsonObject => ({
  kind: namespace === undefined ? "ClusterRoleBinding" : "RoleBinding",
  metadata: { name: `${roleName}-${stringAt(subject, "name")}`, ...(namespace === undefined ? {} : { namespace }) },
  roleRef: { kind: roleKind, name: roleName },
  subjects: [subject],
});

const user = (username: string, ...groups: string[]): UserInfo => ({ username, groups });
const alice = user("alice", "system:authenticated");
const ALICE = { kind: "User", name: "alice" };

/** `get pods.apps/log x in ns` in pieces. */
function ask(verb: string, resource: string, at: Partial<RequestInfo> = {}): RequestInfo {
  const [name = "", subresource = ""] = resource.split("/");
  return {
    isResource: true,
    path: "",
    verb,
    group: "",
    version: "v1",
    resource: name,
    subresource,
    namespace: "",
    name: "",
    ...at,
  };
}

const path = (url: string): RequestInfo => ({ ...ask("get", ""), isResource: false, path: url });
const may = (who: UserInfo, info: RequestInfo) => authorizer.authorize(who, info).allowed;

describe("RBAC rules", () => {
  const rule = (verbs: string[], resources: string[], more: JsonObject = {}): JsonObject => ({
    verbs,
    resources,
    apiGroups: [""],
    ...more,
  });

  test.each<[string, JsonObject, RequestInfo, boolean]>([
    ["verb and resource", rule(["get"], ["pods"]), ask("get", "pods"), true],
    ["another verb", rule(["get"], ["pods"]), ask("list", "pods"), false],
    ["another resource", rule(["get"], ["pods"]), ask("get", "secrets"), false],
    ["another group", rule(["get"], ["pods"]), ask("get", "pods", { group: "apps" }), false],
    ["any group", rule(["get"], ["pods"], { apiGroups: ["*"] }), ask("get", "pods", { group: "apps" }), true],
    ["any verb", rule(["*"], ["pods"]), ask("deletecollection", "pods"), true],
    ["a resource does not open its subresources", rule(["get"], ["pods"]), ask("get", "pods/log"), false],
    ["a subresource by name", rule(["get"], ["pods/log"]), ask("get", "pods/log"), true],
    ["a subresource does not open its resource", rule(["get"], ["pods/log"]), ask("get", "pods"), false],
    ["a subresource of every resource", rule(["update"], ["*/scale"]), ask("update", "deployments/scale"), true],
    ["every resource and subresource", rule(["get"], ["*"]), ask("get", "pods/log"), true],
    ["the named object", rule(["get"], ["pods"], { resourceNames: ["a"] }), ask("get", "pods", { name: "a" }), true],
    ["another object", rule(["get"], ["pods"], { resourceNames: ["a"] }), ask("get", "pods", { name: "b" }), false],
    ["a list when names are given", rule(["list"], ["pods"], { resourceNames: ["a"] }), ask("list", "pods"), false],
    ["an exact URL", { verbs: ["get"], nonResourceURLs: ["/metrics"] }, path("/metrics"), true],
    ["a longer URL", { verbs: ["get"], nonResourceURLs: ["/metrics"] }, path("/metrics/x"), false],
    ["a URL prefix", { verbs: ["get"], nonResourceURLs: ["/debug/*"] }, path("/debug/x/y"), true],
    ["a URL is no resource", rule(["*"], ["*"], { apiGroups: ["*"] }), path("/metrics"), false],
  ])("%s", (_name, given, request, expected) => {
    put(role("r", [given]));
    put(bind("ClusterRole", "r", ALICE));
    expect(may(alice, request)).toBe(expected);
    expect(may(user("bob"), request)).toBe(false);
  });

  test("a RoleBinding reaches its own namespace only, a ClusterRoleBinding everywhere", () => {
    put(role("reader", [rule(["get"], ["pods"])]));
    put(bind("ClusterRole", "reader", ALICE, "one"));
    expect(may(alice, ask("get", "pods", { namespace: "one" }))).toBe(true);
    expect(may(alice, ask("get", "pods", { namespace: "two" }))).toBe(false);
    expect(may(alice, ask("get", "pods"))).toBe(false);
    put(bind("ClusterRole", "reader", ALICE));
    expect(may(alice, ask("get", "pods", { namespace: "two" }))).toBe(true);
  });

  test("subjects are users, groups and service accounts", () => {
    put(role("reader", [rule(["get"], ["pods"])], "one"));
    put(bind("Role", "reader", { kind: "Group", name: "dev" }, "one"));
    put(bind("Role", "reader", { kind: "ServiceAccount", name: "sleep", namespace: "other" }, "one"));
    const request = ask("get", "pods", { namespace: "one" });
    expect(may(user("x", "dev"), request)).toBe(true);
    expect(may(user("system:serviceaccount:other:sleep"), request)).toBe(true);
    expect(may(user("system:serviceaccount:one:sleep"), request)).toBe(false);
  });

  test("changes take effect at once, deletions too", () => {
    put(role("r", [rule(["get"], ["pods"])]));
    put(bind("ClusterRole", "r", ALICE));
    put(role("r", [rule(["get"], ["secrets"])]));
    expect(may(alice, ask("get", "pods"))).toBe(false);
    expect(may(alice, ask("get", "secrets"))).toBe(true);
    objects.remove(RBAC_GROUP, "clusterrolebindings", "", "r-alice");
    expect(may(alice, ask("get", "secrets"))).toBe(false);
  });

  test("an aggregated role gives the rules that stand in it: a controller writes them", () => {
    put(bind("ClusterRole", "edit", ALICE, "one"));
    const request = ask("create", "gateways", { group: "networking.istio.io", namespace: "one" });
    expect(may(alice, request)).toBe(false);
    put({ ...role("edit", [rule(["create"], ["gateways"], { apiGroups: ["networking.istio.io"] })]) });
    expect(may(alice, request)).toBe(true);
  });
});

describe("the bootstrap policy", () => {
  test("lets masters do everything and others nothing but discovery and self reviews", () => {
    expect(may(user("root", "system:masters"), ask("delete", "nodes", { name: "n" }))).toBe(true);
    expect(may(alice, path("/api/v1"))).toBe(true);
    expect(may(alice, ask("create", "selfsubjectaccessreviews", { group: "authorization.k8s.io" }))).toBe(true);
    expect(may(alice, ask("list", "pods"))).toBe(false);
    const anonymous = user("system:anonymous", "system:unauthenticated");
    expect(may(anonymous, path("/version"))).toBe(true);
    expect(may(anonymous, path("/api"))).toBe(false);
  });

  test("view shows no Secrets", () => {
    put(bind("ClusterRole", "system:aggregate-to-view", ALICE));
    expect(may(alice, ask("list", "configmaps"))).toBe(true);
    expect(may(alice, ask("list", "secrets"))).toBe(false);
  });
});

describe("denials are in Kubernetes' words", () => {
  test.each<[RequestInfo, string]>([
    [
      ask("list", "pods", { namespace: "y" }),
      'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "y"',
    ],
    [
      ask("get", "deployments/scale", { group: "apps", namespace: "y", name: "d" }),
      'deployments.apps "d" is forbidden: User "alice" cannot get resource "deployments/scale" in API group "apps" in the namespace "y"',
    ],
    [
      ask("watch", "nodes"),
      'nodes is forbidden: User "alice" cannot watch resource "nodes" in API group "" at the cluster scope',
    ],
    [path("/metrics"), 'forbidden: User "alice" cannot get path "/metrics"'],
  ])("%#", (info, message) => {
    expect(forbiddenFor(alice, info, authorizer.authorize(alice, info).reason).message).toBe(message);
  });
});

describe("nodes", () => {
  const node = user("system:node:node-a", "system:nodes", "system:authenticated");
  const at = { namespace: "sample" };

  beforeEach(() => {
    const spec = (nodeName: string) => ({
      nodeName,
      serviceAccountName: "sleep",
      volumes: [{ name: "v", configMap: { name: "settings" } }],
      containers: [{ name: "c", env: [{ name: "E", valueFrom: { secretKeyRef: { name: "password", key: "k" } } }] }],
    });
    objects.put("", "pods", { metadata: { namespace: "sample", name: "mine" }, spec: spec("node-a") });
    objects.put("", "pods", { metadata: { namespace: "sample", name: "theirs" }, spec: spec("node-b") });
  });

  test.each<[string, RequestInfo, boolean]>([
    ["read its pods", ask("watch", "pods", { fieldSelector: "spec.nodeName=node-a,status.phase!=Failed" }), true],
    ["read a pod of its own", ask("get", "pods", { ...at, name: "mine" }), true],
    ["read a pod elsewhere", ask("get", "pods", { ...at, name: "theirs" }), false],
    ["read all pods", ask("watch", "pods"), false],
    ["read pods elsewhere", ask("list", "pods", { fieldSelector: "spec.nodeName=node-b" }), false],
    ["read itself", ask("watch", "nodes", { name: "node-a" }), true],
    ["read another node", ask("get", "nodes", { name: "node-b" }), false],
    ["read all nodes", ask("list", "nodes"), false],
    ["read services", ask("list", "services"), true],
    ["list endpoints", ask("list", "endpoints"), false],
    ["read a Secret of its pod", ask("get", "secrets", { ...at, name: "password" }), true],
    ["read another Secret", ask("get", "secrets", { ...at, name: "other" }), false],
    ["list Secrets", ask("list", "secrets", at), false],
    ["watch one ConfigMap of its pod", ask("watch", "configmaps", { ...at, name: "settings" }), true],
    ["ask a token for its pod's account", ask("create", "serviceaccounts/token", { ...at, name: "sleep" }), true],
    ["ask a token for another account", ask("create", "serviceaccounts/token", { ...at, name: "admin" }), false],
    ["report on its pod", ask("patch", "pods/status", { ...at, name: "mine" }), true],
    ["end its pod", ask("delete", "pods", { ...at, name: "mine" }), true],
    ["change its pod's spec", ask("patch", "pods", { ...at, name: "mine" }), false],
    ["report on itself", ask("patch", "nodes/status", { name: "node-a" }), true],
    [
      "renew its lease",
      ask("update", "leases", { group: "coordination.k8s.io", namespace: "kube-node-lease", name: "node-a" }),
      true,
    ],
    [
      "renew another's lease",
      ask("update", "leases", { group: "coordination.k8s.io", namespace: "kube-node-lease", name: "node-b" }),
      false,
    ],
    ["write events", ask("create", "events", at), true],
    ["delete nodes", ask("delete", "nodes", { name: "node-a" }), false],
  ])("%s: as the table says", (_name, info, expected) => {
    expect(may(node, info)).toBe(expected);
    // The name alone makes no node.
    if (expected) expect(may(user("system:node:node-a"), info)).toBe(false);
  });

  test("rights end with the last pod that refers to the object", () => {
    const secret = ask("get", "secrets", { ...at, name: "password" });
    const pod = objects.get("", "pods", "sample", "mine");
    objects.put("", "pods", { ...pod, metadata: { namespace: "sample", name: "second" } });
    objects.remove("", "pods", "sample", "mine");
    expect(may(node, secret)).toBe(true);
    objects.remove("", "pods", "sample", "second");
    expect(may(node, secret)).toBe(false);
  });
});
