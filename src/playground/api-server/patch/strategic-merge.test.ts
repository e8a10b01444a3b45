import { describe, expect, it } from "vitest";
import type { JsonObject } from "../contract.ts";
import { definition } from "../schema/schema.ts";
import { mergePatch } from "./patches.ts";
import { strategicMerge } from "./strategic-merge.ts";

const schema = definition("io.k8s.api.apps.v1.Deployment");
const podSchema = definition("io.k8s.api.core.v1.Pod");

const deployment = (...containers: JsonObject[]): JsonObject => ({
  metadata: { labels: { app: "web" }, finalizers: ["a", "b"] },
  spec: {
    replicas: 1,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1 } },
    template: { spec: { containers } },
  },
});

const containersOf = (object: JsonObject) =>
  ((object["spec"] as JsonObject)["template"] as { spec: { containers: JsonObject[] } }).spec.containers;

const patchContainers = (...containers: JsonObject[]): JsonObject => ({
  spec: { template: { spec: { containers } } },
});

describe("strategic merge patch", () => {
  it("merges list items by their key and keeps the others", () => {
    const live = deployment({ name: "a", image: "a:1", env: [{ name: "X", value: "1" }] }, { name: "b", image: "b:1" });
    const patch = patchContainers({ name: "a", image: "a:2", env: [{ name: "Y", value: "2" }] });
    expect(containersOf(strategicMerge(schema, live, patch))).toEqual([
      {
        name: "a",
        image: "a:2",
        // What the live list does not have goes before what the patch does not name.
        env: [
          { name: "Y", value: "2" },
          { name: "X", value: "1" },
        ],
      },
      { name: "b", image: "b:1" },
    ]);
    expect(containersOf(live)[0]?.["image"]).toBe("a:1");
  });

  it("deletes an item with $patch: delete and replaces a list with $patch: replace", () => {
    const live = deployment({ name: "a" }, { name: "b" });
    expect(containersOf(strategicMerge(schema, live, patchContainers({ name: "a", $patch: "delete" })))).toEqual([
      { name: "b" },
    ]);
    const replaced = strategicMerge(schema, live, patchContainers({ $patch: "replace" }, { name: "c" }));
    expect(containersOf(replaced)).toEqual([{ name: "c" }]);
  });

  it("orders items by $setElementOrder", () => {
    const live = deployment({ name: "a" }, { name: "b" });
    const patch = {
      spec: {
        template: {
          spec: {
            "$setElementOrder/containers": [{ name: "c" }, { name: "b" }, { name: "a" }],
            containers: [{ name: "c" }],
          },
        },
      },
    };
    expect(containersOf(strategicMerge(schema, live, patch)).map((one) => one["name"])).toEqual(["c", "b", "a"]);
  });

  it("drops what $retainKeys does not name", () => {
    const patch = { spec: { strategy: { $retainKeys: ["type"], type: "Recreate" } } };
    const { spec } = strategicMerge(schema, deployment(), patch) as { spec: JsonObject };
    expect(spec["strategy"]).toEqual({ type: "Recreate" });
  });

  it("takes single values out of a list of plain values", () => {
    const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": ["a"], finalizers: ["c"] } };
    const { metadata } = strategicMerge(schema, deployment(), patch) as { metadata: JsonObject };
    expect(metadata["finalizers"]).toEqual(["c", "b"]);
  });

  it("replaces lists that have no merge key, and removes with null", () => {
    const pod = { spec: { containers: [{ name: "a", args: ["x", "y"] }], nodeName: "n" } };
    const patch = { spec: { containers: [{ name: "a", args: ["z"] }], nodeName: null } };
    expect(strategicMerge(podSchema, pod, patch)).toEqual({ spec: { containers: [{ name: "a", args: ["z"] }] } });
  });

  it("refuses an item without its merge key", () => {
    expect(() => strategicMerge(schema, deployment(), patchContainers({ image: "x" }))).toThrow(
      /does not contain declared merge key: name/,
    );
  });
});

describe("merge patch", () => {
  it("removes with null at every depth and replaces lists", () => {
    expect(mergePatch({ a: { b: 1, c: [1, 2] } }, { a: { b: null, c: [3], d: { e: null } } })).toEqual({
      a: { c: [3], d: {} },
    });
  });
});
