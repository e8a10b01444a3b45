import { beforeEach, expect, test } from "vitest";
import { type MemoryObjects, memoryObjects } from "../../../../tests/kit/memory-objects.ts";
import type { AdmissionAttributes, JsonObject } from "../contract.ts";
import { restrictNode } from "./node-restriction.ts";

let objects: MemoryObjects;
beforeEach(() => {
  objects = memoryObjects();
  objects.put("", "pods", pod("mine", "a"));
  objects.put("", "pods", pod("theirs", "b"));
  objects.put("", "nodes", { metadata: { name: "a", uid: "u" } });
});

const pod = (name: string, nodeName: string, more: JsonObject = {}): JsonObject => ({
  metadata: { namespace: "n", name, ...more },
  spec: { nodeName },
});

const node = (metadata: JsonObject, spec: JsonObject = {}): JsonObject => ({
  metadata: { name: "a", ...metadata },
  spec,
});

type Write = Partial<AdmissionAttributes> & Pick<AdmissionAttributes, "operation" | "resource">;

function write(more: Write): string {
  try {
    restrictNode(objects, {
      group: "",
      version: "v1",
      kind: "",
      subresource: "",
      namespace: "",
      name: "a",
      user: { username: "system:node:a", groups: ["system:nodes"] },
      dryRun: false,
      object: undefined,
      oldObject: undefined,
      ...more,
    });
    return "";
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

const owner = { apiVersion: "v1", kind: "Node", name: "a", uid: "u", controller: true };
const mirror = (metadata: JsonObject) =>
  write({
    operation: "CREATE",
    resource: "pods",
    name: "p",
    object: pod("p", "a", { annotations: { "kubernetes.io/config.mirror": "x" }, ...metadata }),
  });

test("a node writes itself alone", () => {
  expect(write({ operation: "CREATE", resource: "nodes", object: node({}) })).toBe("");
  expect(write({ operation: "CREATE", resource: "nodes", name: "", object: node({}) })).toBe(
    'nodes "Unknown" is forbidden: node "a" is not allowed to modify node ""',
  );
  expect(write({ operation: "UPDATE", resource: "nodes", name: "b", subresource: "status" })).toContain(
    'node "a" is not allowed to modify node "b"',
  );
});

test("labels that place workloads, taints and owners are not a node's to change", () => {
  const update = (object: JsonObject) => write({ operation: "UPDATE", resource: "nodes", object, oldObject: node({}) });
  const labels = { app: "x", "kubernetes.io/os": "linux", "my.node.kubernetes.io/x": "1" };
  expect(update(node({ labels }))).toBe("");
  expect(update(node({ labels: { "node-restriction.kubernetes.io/a": "1", "k8s.io/b": "" } }))).toContain(
    "is not allowed to modify labels: k8s.io/b, node-restriction.kubernetes.io/a",
  );
  expect(update(node({}, { taints: [{ key: "k", effect: "NoSchedule" }] }))).toContain("modify taints");
  expect(update(node({ ownerReferences: [owner] }))).toContain("modify ownerReferences");
});

test("a node reports on its own pods, evicts and ends them", () => {
  const on = (name: string, more: Write) =>
    write({ ...more, namespace: "n", name, oldObject: objects.get("", "pods", "n", name) });
  const status: Write = { operation: "UPDATE", resource: "pods", subresource: "status" };
  expect(on("mine", { ...status, object: pod("mine", "a") })).toBe("");
  expect(on("theirs", { ...status, object: pod("theirs", "b") })).toContain("can only update pod status for pods with");
  expect(on("mine", { ...status, object: pod("mine", "a", { labels: { app: "x" } }) })).toContain(
    "cannot update labels",
  );
  const eviction: Write = { operation: "CREATE", resource: "pods", subresource: "eviction" };
  expect(["mine", "theirs", "none"].map((name) => on(name, eviction))).toEqual([
    "",
    'pods "theirs" is forbidden: node a can only evict pods with spec.nodeName set to itself',
    'pod "none" not found',
  ]);
  expect(on("mine", { operation: "DELETE", resource: "pods" })).toBe("");
  expect(on("theirs", { operation: "DELETE", resource: "pods" })).toContain("can only delete pods");
  expect(on("mine", { operation: "UPDATE", resource: "pods" })).toContain('unexpected operation "UPDATE"');
});

test("a node makes mirror pods of its own", () => {
  expect(mirror({ ownerReferences: [owner] })).toBe("");
  expect(mirror({ ownerReferences: [{ ...owner, uid: "v" }] })).toContain("node a UID mismatch: expected v got u");
  expect(mirror({})).toContain("with an owner reference set to itself");
  expect(mirror({ annotations: {} })).toContain('pod does not have "kubernetes.io/config.mirror" annotation');
});

test("a lease is its node's", () => {
  const lease: Write = { operation: "CREATE", group: "coordination.k8s.io", resource: "leases", name: "" };
  expect(write({ ...lease, object: node({}) })).toBe("");
  expect(write({ ...lease, object: { metadata: { name: "b" } } })).toContain("can only access node lease with");
});
