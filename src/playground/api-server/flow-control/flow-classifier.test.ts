import { beforeEach, describe, expect, test } from "vitest";
import { bornObjects } from "../born-objects.ts";
import type { JsonObject, RequestInfo, UserInfo } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import { createObjectStore, type ObjectStore } from "../store/object-store.ts";
import {
  createFlowClassifier,
  FLOW_GROUP,
  FLOW_SCHEMAS,
  type FlowClassifier,
  PRIORITY_LEVELS,
} from "./flow-classifier.ts";

let store: ObjectStore;
let flows: FlowClassifier;

beforeEach(() => {
  store = createObjectStore();
  flows = createFlowClassifier(store);
  for (const object of bornObjects()) if (stringAt(object, "apiVersion").startsWith(FLOW_GROUP)) put(object);
});

const keyOf = (object: JsonObject) => (object["kind"] === "FlowSchema" ? FLOW_SCHEMAS : PRIORITY_LEVELS);

/** Its name is its uid. */
function put(object: JsonObject): void {
  const metadata = objectAt(object, "metadata");
  store.commit(keyOf(object), "ADDED", { ...object, metadata: { ...metadata, uid: stringAt(metadata, "name") } });
}

function drop(key: string, name: string): void {
  store.commit(key, "DELETED", store.get(key, "", name) ?? {});
}

const user = (username: string, ...groups: string[]): UserInfo => ({
  username,
  groups: [...groups, "system:authenticated"],
});
const masters = user("admin", "system:masters");
const anybody = user("alice");
const node = user("system:node:a", "system:nodes");
const account = (namespace: string) => user(`system:serviceaccount:${namespace}:x`, "system:serviceaccounts");

const empty = { version: "v1", subresource: "", namespace: "", name: "" };
const asks = (verb: string, resource: string, more: Partial<RequestInfo> = {}): RequestInfo => ({
  ...empty,
  group: "",
  isResource: true,
  path: "",
  verb,
  resource,
  ...more,
});
const path = (verb: string, at: string): RequestInfo => ({
  ...empty,
  group: "",
  resource: "",
  isResource: false,
  verb,
  path: at,
});
const lease = (verb: string) => asks(verb, "leases", { group: "coordination.k8s.io", namespace: "n", name: "l" });

const namesOf = (who: UserInfo, info: RequestInfo) => {
  const flow = flows.classify(who, info);
  return flow === undefined ? undefined : `${flow.schema} ${flow.level}`;
};

describe("in a new cluster", () => {
  test.each([
    ["a master", masters, asks("list", "pods"), "exempt exempt"],
    ["a master's page", masters, path("get", "/nothing"), "exempt exempt"],
    ["anybody", anybody, asks("list", "pods"), "global-default global-default"],
    ["a probe", anybody, path("get", "/livez/ping"), "probes exempt"],
    ["no probe by its verb", anybody, path("post", "/livez"), "global-default global-default"],
    ["a node of its own", node, asks("patch", "nodes", { subresource: "status" }), "system-node-high node-high"],
    ["a node's lease", node, lease("update"), "system-node-high node-high"],
    ["a node otherwise", node, asks("list", "pods"), "system-nodes system"],
    ["a leader", user("system:kube-scheduler"), lease("update"), "system-leader-election leader-election"],
    ["no leader by its verb", user("system:kube-scheduler"), lease("list"), "kube-scheduler workload-high"],
    [
      "an account of the system",
      account("kube-system"),
      asks("get", "pods"),
      "kube-system-service-accounts workload-high",
    ],
    ["another account", account("kube-system2"), asks("get", "pods"), "service-accounts workload-low"],
    ["nobody's group", { username: "x", groups: [] }, asks("get", "pods"), "catch-all catch-all"],
    ["a watch", anybody, asks("watch", "pods"), "global-default global-default"],
  ])("%s", (_name, who, info, expected) => {
    expect(namesOf(who, info)).toBe(expected);
  });

  test.each([
    asks("create", "pods", { subresource: "exec" }),
    asks("get", "pods", { subresource: "log" }),
    asks("get", "nodes", { subresource: "proxy/x" }),
    path("get", "/debug/pprof/profile"),
  ])("what lasts is nobody's flow", (info) => {
    expect(flows.classify(masters, info)).toBeUndefined();
  });
});

test("requests are counted by the names of their flows", () => {
  flows.classify(masters, asks("list", "pods"));
  flows.classify(masters, path("get", "/api"));
  put({ kind: "PriorityLevelConfiguration", metadata: { name: "another" } });
  flows.classify(masters, asks("list", "pods"));
  expect(flows.counts()).toEqual([{ schemaName: "exempt", levelName: "exempt", count: 3 }]);
});

describe("while objects change", () => {
  const own = (spec: JsonObject): JsonObject => ({ kind: "FlowSchema", metadata: { name: "own" }, spec });
  const subjects = [{ kind: "User", user: { name: "alice" } }];
  const urls = [{ verbs: ["get"], nonResourceURLs: ["/a/*", "/b"] }];

  test("a schema counts from when its level is there, by its precedence", () => {
    put(
      own({
        priorityLevelConfiguration: { name: "mine" },
        matchingPrecedence: 9,
        rules: [{ subjects, nonResourceRules: urls }],
      }),
    );
    expect(namesOf(anybody, path("get", "/b"))).toBe("global-default global-default");
    put({ kind: "PriorityLevelConfiguration", metadata: { name: "mine" } });
    for (const at of ["/b", "/b/c", "/a/", "/a/c"]) expect(namesOf(anybody, path("get", at))).toBe("own mine");
    for (const at of ["/a", "/bc", "/"])
      expect(namesOf(anybody, path("get", at))).toBe("global-default global-default");
    expect(namesOf(user("bob"), path("get", "/b"))).toBe("global-default global-default");
    drop(FLOW_SCHEMAS, "own");
    expect(namesOf(anybody, path("get", "/b"))).toBe("global-default global-default");
  });

  test("cluster scope and namespaces are told apart", () => {
    const rule = { verbs: ["*"], apiGroups: ["*"], resources: ["*"], namespaces: ["n"] };
    const spec = { priorityLevelConfiguration: { name: "system" }, matchingPrecedence: 9 };
    put(own({ ...spec, rules: [{ subjects, resourceRules: [rule] }] }));
    expect(namesOf(anybody, asks("get", "pods", { namespace: "n" }))).toBe("own system");
    expect(namesOf(anybody, asks("get", "pods", { namespace: "m" }))).toBe("global-default global-default");
    expect(namesOf(anybody, asks("list", "pods"))).toBe("global-default global-default");
  });

  test("the server stands in for what must be there", () => {
    drop(FLOW_SCHEMAS, "exempt");
    expect(flows.classify(masters, asks("get", "pods"))).toMatchObject({ schema: "", level: "exempt" });
    drop(FLOW_SCHEMAS, "catch-all");
    expect(flows.classify({ username: "x", groups: [] }, asks("get", "pods"))).toMatchObject({
      schema: "",
      level: "catch-all",
    });
    drop(PRIORITY_LEVELS, "exempt");
    expect(flows.classify(anybody, path("get", "/livez"))?.schema).toBe("global-default");
    expect(flows.classify(masters, asks("get", "pods"))).toMatchObject({ schema: "", level: "exempt" });
  });
});
