import { describe, expect, it } from "vitest";
import type { JsonObject } from "./contract.ts";
import { fieldSelector, labelSelector } from "./selectors.ts";

const pod: JsonObject = {
  metadata: { name: "p1", namespace: "sample", labels: { app: "web", tier: "front", weight: "5" } },
  spec: { nodeName: "node-1" },
  status: { phase: "Running" },
};

describe("label selectors", () => {
  it.each([
    ["", true],
    ["app=web", true],
    ["app==web,tier=front", true],
    ["app=web,tier=back", false],
    ["app!=web", false],
    ["missing!=x", true],
    ["app in (web, api)", true],
    ["app notin (web,api)", false],
    ["missing notin (a)", true],
    ["app", true],
    ["!app", false],
    ["!missing,app in (web)", true],
    ["weight>4", true],
    ["weight<5", false],
  ])("%s -> %s", (text, expected) => {
    expect(labelSelector(text)(pod)).toBe(expected);
  });

  it("refuses what it cannot read", () => {
    expect(() => labelSelector("app in web")).toThrow(/unable to parse/);
  });
});

describe("field selectors", () => {
  it.each([
    ["metadata.name=p1", true],
    ["metadata.name=p2", false],
    ["spec.nodeName!=node-1", false],
    ["status.phase=Running,metadata.namespace=sample", true],
    ["spec.nodeName=", false],
  ])("%s -> %s", (text, expected) => {
    expect(fieldSelector(text, "/pods")(pod)).toBe(expected);
  });

  it("refuses a field that cannot be selected by", () => {
    expect(() => fieldSelector("spec.image=x", "/pods")).toThrow(/field label not supported: spec.image/);
  });

  it("knows the fields that a definition makes selectable", () => {
    const widget = { spec: { color: "red" } };
    expect(fieldSelector("spec.color=red", "example.com/widgets", ["spec.color"])(widget)).toBe(true);
  });
});
