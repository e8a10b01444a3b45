// The life of definitions and their objects, in the engine without a door.
import { beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import type { EngineParts, WriteContext } from "../api-context.ts";
import { SERVER } from "../bootstrap-objects.ts";
import type { JsonObject } from "../contract.ts";
import { createEngine } from "../create-engine.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { fromStorage } from "../operations/convert-version.ts";
import { createObject } from "../operations/create-object.ts";
import { modifyObject } from "../operations/modify-object.ts";
import { deleteOptions } from "../operations/delete-options.ts";
import { deleteObject } from "../operations/remove-object.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { watchDefinitions } from "./custom-resources.ts";

const KEY = "apiextensions.k8s.io/customresourcedefinitions";
let parts: EngineParts;

beforeEach(() => {
  parts = { ...createEngine({ serviceCIDR: "10.96.0.0/16" }, silentLogger()), admission: [] };
  watchDefinitions(parts, silentLogger());
});

function kindOf(group: string, version: string, plural: string): ResourceKind {
  const kind = parts.registry.find(group, version, plural);
  if (kind === undefined) throw new Error(`${plural}.${group}/${version} is not served`);
  return kind;
}

const definitionKind = () => kindOf("apiextensions.k8s.io", "v1", "customresourcedefinitions");
const version = (name: string, storage: boolean, fields: JsonObject): JsonObject => ({
  name,
  served: true,
  storage,
  schema: {
    openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: fields } } },
  },
});

function definition(plural: string, kind: string, versions?: JsonObject[]): JsonObject {
  const one = version("v1", true, { a: { type: "integer", default: 7 } });
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.example.com` },
    spec: { group: "example.com", scope: "Namespaced", names: { plural, kind }, versions: versions ?? [one] },
  };
}

const create = (kind: ResourceKind, body: JsonObject, context: WriteContext = SERVER) => {
  const namespace = kind.namespaced ? "default" : "";
  return createObject(parts, kind, { target: { namespace, name: "", subresource: "" }, body, context });
};

const widget = (name: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name, ...metadata },
  spec,
});

const stored = (name: string) => parts.store.get(KEY, "", name);
const conditions = (name: string) =>
  objectsAt(stored(name), "status", "conditions").map(
    (one) =>
      `${stringAt(one, "type")}=${stringAt(one, "status")} ${stringAt(one, "reason")}: ${stringAt(one, "message")}`,
  );

const remove = (name: string) =>
  deleteObject(parts, definitionKind(), {
    target: { namespace: "", name, subresource: "" },
    context: SERVER,
    options: deleteOptions({}, new URLSearchParams()),
  });

describe("names", () => {
  it("are accepted, then the definition is established, each in an event of its own", async () => {
    const seen: string[] = [];
    parts.store.subscribe(({ type, object }) => {
      const last = objectsAt(object, "status", "conditions").map(
        (one) => `${stringAt(one, "type")}=${stringAt(one, "reason")}`,
      );
      seen.push(`${type} ${last.join(" ")}`);
    }, KEY);
    const answer = await create(definitionKind(), definition("widgets", "Widget"));
    expect(answer["status"]).toEqual({
      conditions: null,
      acceptedNames: { plural: "", kind: "" },
      storedVersions: ["v1"],
    });
    expect(conditions("widgets.example.com")).toEqual([
      "NamesAccepted=True NoConflicts: no conflicts found",
      "Established=True InitialNamesAccepted: the initial names have been accepted",
    ]);
    expect(seen.toSorted()).toEqual([
      "ADDED ",
      "MODIFIED NamesAccepted=NoConflicts Established=InitialNamesAccepted",
      "MODIFIED NamesAccepted=NoConflicts Established=Installing",
    ]);
    expect(parts.store.get("apiregistration.k8s.io/apiservices", "", "v1.example.com")).toBeDefined();
  });

  it("that another definition has are refused until it goes", async () => {
    await create(definitionKind(), definition("widgets", "Widget"));
    await create(definitionKind(), definition("gizmos", "Widget"));
    expect(conditions("gizmos.example.com")).toEqual([
      'NamesAccepted=False ListKindConflict: "WidgetList" is already in use',
      "Established=False NotAccepted: not all names are accepted",
    ]);
    expect(parts.registry.find("example.com", "v1", "gizmos")).toBeUndefined();
    await remove("widgets.example.com");
    await until(() => parts.registry.find("example.com", "v1", "gizmos") !== undefined, {
      reason: "gizmos are served",
      timeoutMs: 60_000,
    });
  });
});

describe("versions", () => {
  const old = version("v1alpha1", false, { a: { type: "integer" }, old: { type: "string", default: "x" } });

  it("are pruned each for itself and completed as they are kept", async () => {
    const now = version("v1", true, { a: { type: "integer", default: 7 }, color: { type: "string", default: "red" } });
    await create(definitionKind(), definition("widgets", "Widget", [old, now]));
    const body = { ...widget("w", { old: "y", color: "blue" }), apiVersion: "example.com/v1alpha1" };
    const lenient: WriteContext = { ...SERVER, fieldValidation: "Warn", warnings: [] };
    const kept = await create(kindOf("example.com", "v1alpha1", "widgets"), body, lenient);
    expect(lenient.warnings).toEqual(['unknown field "spec.color"']);
    expect(kept["apiVersion"]).toBe("example.com/v1");
    expect(fromStorage(kindOf("example.com", "v1", "widgets"), kept)["spec"]).toEqual({ a: 7, color: "red" });
    expect(fromStorage(kindOf("example.com", "v1alpha1", "widgets"), kept)["spec"]).toEqual({ a: 7 });
  });

  it("keep their owners of what the status door of another version never changes", async () => {
    const withStatus = (one: JsonObject): JsonObject => ({ ...one, subresources: { status: {} } });
    const [v1, v1alpha1] = [version("v1", true, { a: { type: "integer" } }), old].map(withStatus);
    await create(definitionKind(), definition("widgets", "Widget", [v1 ?? {}, v1alpha1 ?? {}]));
    const body = { ...widget("w", { a: 1 }), apiVersion: "example.com/v1alpha1" };
    await create(kindOf("example.com", "v1alpha1", "widgets"), body, { ...SERVER, fieldManager: "maker" });
    const changed = await modifyObject(parts, kindOf("example.com", "v1", "widgets"), {
      target: { namespace: "default", name: "w", subresource: "status" },
      context: { ...SERVER, fieldManager: "reporter" },
      transform: (current) => ({ ...current, spec: { a: 2 } }),
    });
    expect(changed["spec"]).toEqual({ a: 1 });
    const [entry] = objectsAt(changed, "metadata", "managedFields");
    expect(objectAt(entry, "fieldsV1")).toMatchObject({ "f:spec": { "f:a": {} } });
  });

  it("in which objects were kept are remembered", async () => {
    await create(definitionKind(), definition("widgets", "Widget"));
    const target = { namespace: "", name: "widgets.example.com", subresource: "" };
    await modifyObject(parts, definitionKind(), {
      target,
      context: SERVER,
      transform: (current) => {
        const versions = [version("v1", false, {}), version("v2", true, {})];
        return { ...current, spec: { ...objectAt(current, "spec"), versions } };
      },
    });
    expect(objectAt(stored("widgets.example.com"), "status")["storedVersions"]).toEqual(["v1", "v2"]);
    expect(parts.registry.find("example.com", "v2", "widgets")).toBeDefined();
  });
});

describe("a deleted definition", () => {
  it("takes no new objects, waits for finalizers, and goes with the last object", async () => {
    await create(definitionKind(), definition("widgets", "Widget"));
    const kind = () => kindOf("example.com", "v1", "widgets");
    await create(kind(), widget("free", {}));
    await create(kind(), widget("held", {}, { finalizers: ["example.com/x"] }));
    const { object, gone } = await remove("widgets.example.com");
    expect(gone).toBe(false);
    expect(objectAt(object, "metadata")["finalizers"]).toEqual(["customresourcecleanup.apiextensions.k8s.io"]);
    const held = () => parts.store.get("example.com/widgets", "default", "held");
    await until(() => stringAt(held(), "metadata", "deletionTimestamp") !== "", {
      reason: "held is deleted",
      timeoutMs: 60_000,
    });
    expect(parts.store.get("example.com/widgets", "default", "free")).toBeUndefined();
    expect(conditions("widgets.example.com").at(-1)).toBe(
      "Terminating=True InstanceDeletionInProgress: CustomResource deletion is in progress",
    );
    await expect(create(kind(), widget("late", {}))).rejects.toMatchObject({
      code: 403,
      message:
        'widgets.example.com "late" is forbidden: create not allowed while custom resource definition is terminating',
    });
    await modifyObject(parts, kind(), {
      target: { namespace: "default", name: "held", subresource: "" },
      context: SERVER,
      transform: (current) => ({ ...current, metadata: { ...objectAt(current, "metadata"), finalizers: [] } }),
    });
    expect(held()).toBeUndefined();
    expect(stored("widgets.example.com")).toBeUndefined();
    expect(parts.registry.find("example.com", "v1", "widgets")).toBeUndefined();
    expect(parts.store.get("apiregistration.k8s.io/apiservices", "", "v1.example.com")).toBeUndefined();
  });
});
