import { describe, expect, it } from "vitest";
import type { JsonObject } from "./contract.ts";
import { exactValue, matchesFields, parseFieldSelector, translateFields } from "./field-selectors.ts";
import { createRegistry } from "./registry.ts";
import type { ResourceKind } from "./resource-kind.ts";
import { labelRequirements, matchesLabels } from "./selectors.ts";

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
    ["tier>4", false],
  ])("%s -> %s", (text, expected) => {
    expect(matchesLabels(labelRequirements(text), pod)).toBe(expected);
  });

  it("refuses what it cannot read", () => {
    expect(() => labelRequirements("app in web")).toThrow(/unable to parse/);
  });
});

const registry = createRegistry();

function kindOf(group: string, version: string, plural: string): ResourceKind {
  const kind = registry.find(group, version, plural);
  if (kind === undefined) throw new Error(`no ${plural}`);
  return kind;
}

const pods = kindOf("", "v1", "pods");

const selects = (kind: ResourceKind, text: string, object: JsonObject) =>
  matchesFields(kind, translateFields(kind, parseFieldSelector(text)), object);

describe("field selectors", () => {
  it.each([
    ["metadata.name=p1", true],
    ["metadata.name=p2", false],
    ["spec.nodeName!=node-1", false],
    ["spec.host=node-1", true],
    ["status.phase=Running,metadata.namespace=sample", true],
    ["spec.nodeName=", false],
    ["spec.hostNetwork=false", true],
    ["status.phase==Running,", true],
  ])("%s -> %s", (text, expected) => {
    expect(selects(pods, text, pod)).toBe(expected);
  });

  it.each([
    [kindOf("", "v1", "pods"), "spec.image=x", "field label not supported: spec.image"],
    [kindOf("", "v1", "nodes"), "metadata.namespace=x", "field label not supported: metadata.namespace"],
    [kindOf("batch", "v1", "jobs"), "spec.x=1", 'field label "spec.x" not supported for Job'],
    [kindOf("apps", "v1", "replicasets"), "status.replicas=0", '"status.replicas" is not a known field selector: only'],
    [pods, "metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    [pods, "metadata.name=a=b", "invalid field selector: unescaped character in value: 61"],
    [pods, "metadata.name=a\\b", "invalid field selector: invalid escape sequence: \\b"],
  ])("refuses what it cannot select by: %#", (kind, text, sentence) => {
    expect(() => selects(kind, text, pod)).toThrow(sentence);
  });

  it("reads guarded commas as part of a value", () => {
    expect(parseFieldSelector("metadata.name=a\\,b\\=c,metadata.namespace!=d")).toEqual([
      { field: "metadata.name", value: "a,b=c", equal: true },
      { field: "metadata.namespace", value: "d", equal: false },
    ]);
  });

  it("knows the one value that a field must have", () => {
    const terms = parseFieldSelector("metadata.namespace!=d,metadata.name=a");
    expect(exactValue(terms, "metadata.name")).toBe("a");
    expect(exactValue(terms, "metadata.namespace")).toBeUndefined();
  });

  it("translates the fields of an event's new form into those by which it is kept", () => {
    const event = { involvedObject: { kind: "Pod" } };
    expect(selects(kindOf("events.k8s.io", "v1", "events"), "regarding.kind=Pod", event)).toBe(true);
    expect(selects(kindOf("", "v1", "events"), "involvedObject.kind=Pod", event)).toBe(true);
  });

  it("knows the fields that a definition makes selectable", () => {
    const custom = { ...pods, custom: { selectableFields: ["spec.color"] } } as unknown as ResourceKind;
    expect(selects(custom, "spec.color=red", { spec: { color: "red" } })).toBe(true);
  });
});
