import { describe, expect, it } from "vitest";
import { ApiStatusError, type JsonObject } from "../contract.ts";
import { definition } from "../schema/schema.ts";
import { applyConfiguration, trackUpdate } from "./managed-fields.ts";
import type { FieldWriter } from "./managers.ts";

const schema = definition("io.k8s.api.apps.v1.Deployment");

const writer = (manager: string, operation: FieldWriter["operation"] = "Apply"): FieldWriter => ({
  manager,
  operation,
  apiVersion: "apps/v1",
  subresource: "",
  time: "2026-01-01T00:00:00Z",
});

const config = (spec: JsonObject, labels?: JsonObject): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", ...(labels === undefined ? {} : { labels }) },
  spec,
});

function apply(live: JsonObject | undefined, wanted: JsonObject, manager: string, force = false): JsonObject {
  const result = applyConfiguration(schema, live, wanted, {
    writer: writer(manager),
    force,
    kind: "apps/v1, Kind=Deployment",
    blank: {},
  });
  const metadata = { ...(result.object["metadata"] as JsonObject), managedFields: result.managedFields };
  return { ...result.object, metadata };
}

const managersOf = (object: JsonObject) =>
  ((object["metadata"] as JsonObject)["managedFields"] as JsonObject[]).map((entry) => entry["manager"]);

const container = (name: string, more: JsonObject = {}): JsonObject => ({
  template: { spec: { containers: [{ name, ...more }] } },
});

describe("server-side apply", () => {
  it("records the applied fields as fieldsV1", () => {
    const object = apply(undefined, config({ replicas: 2, ...container("a", { image: "x" }) }, { app: "web" }), "one");
    const [entry] = (object["metadata"] as JsonObject)["managedFields"] as JsonObject[];
    expect(entry).toEqual({
      apiVersion: "apps/v1",
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:labels": { "f:app": {} } },
        "f:spec": {
          "f:replicas": {},
          "f:template": {
            "f:spec": { "f:containers": { 'k:{"name":"a"}': { ".": {}, "f:image": {}, "f:name": {} } } },
          },
        },
      },
      manager: "one",
      operation: "Apply",
      time: "2026-01-01T00:00:00Z",
    });
  });

  it("changes nothing when the same is applied again, whoever wrote in between", () => {
    const first = apply(undefined, config({ replicas: 2 }), "one");
    const second = apply(first, config({ paused: true }), "another");
    const third = apply(second, config({ replicas: 2 }), "one");
    expect(third).toEqual(second);
    expect(managersOf(third)).toEqual(["another", "one"]);
  });

  it("removes fields and list items that are no longer applied and nobody else owns", () => {
    const first = apply(
      undefined,
      config({ replicas: 2, ...container("a", { image: "x" }) }, { app: "web", x: "y" }),
      "one",
    );
    const second = apply(first, config({ ...container("b", { image: "z" }) }, { app: "web" }), "one");
    expect(second["spec"]).toEqual(container("b", { image: "z" }));
    expect((second["metadata"] as JsonObject)["labels"]).toEqual({ app: "web" });
  });

  it("keeps what another manager owns inside a removed item", () => {
    const first = apply(undefined, config(container("a", { image: "x", command: ["c"] })), "one");
    const second = apply(first, config(container("a", { workingDir: "/w" })), "two");
    const third = apply(second, config({ replicas: 1 }), "one");
    expect(third["spec"]).toEqual({ replicas: 1, ...container("a", { workingDir: "/w" }) });
  });

  it("refuses a change of another manager's field with its causes, unless forced", () => {
    const first = apply(undefined, config({ replicas: 2 }), "one");
    let error: unknown;
    try {
      apply(first, config({ replicas: 3 }), "two");
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ApiStatusError);
    expect(error).toMatchObject({
      code: 409,
      message: 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
      details: { causes: [{ reason: "FieldManagerConflict", field: ".spec.replicas" }] },
    });
    const forced = apply(first, config({ replicas: 3 }), "two", true);
    expect(forced["spec"]).toEqual({ replicas: 3 });
    expect(managersOf(forced)).toEqual(["two"]);
  });

  it("shares a field that two managers apply with the same value", () => {
    const first = apply(undefined, config({ replicas: 2 }), "one");
    const second = apply(first, config({ replicas: 2 }), "two");
    // Who changes nothing is noted without a time, and stands before who did.
    expect(managersOf(second)).toEqual(["two", "one"]);
    expect(apply(second, config({ paused: true }), "one")["spec"]).toEqual({ replicas: 2, paused: true });
  });

  it("is idempotent", () => {
    const wanted = config({ replicas: 2, ...container("a", { image: "x" }) });
    const once = apply(undefined, wanted, "one");
    expect(apply(once, wanted, "one")).toEqual(once);
  });

  it("takes a field over by an update, so that applying it again conflicts", () => {
    const first = apply(undefined, config({ replicas: 2 }), "one");
    const scaled = { ...first, spec: { replicas: 5 } };
    const managedFields = trackUpdate(schema, first, scaled, writer("scaler", "Update"));
    const live = { ...scaled, metadata: { ...(first["metadata"] as JsonObject), managedFields } };
    expect(managersOf(live)).toEqual(["scaler"]);
    expect(() => apply(live, config({ replicas: 2 }), "one")).toThrow(/conflict with "scaler"/);
  });

  it("merges ports by port and protocol, with TCP when none is given", () => {
    const service = definition("io.k8s.api.core.v1.Service");
    const live: JsonObject = { metadata: {}, spec: { ports: [{ port: 80, protocol: "TCP", nodePort: 30000 }] } };
    const wanted: JsonObject = {
      spec: {
        ports: [
          { port: 80, name: "http" },
          { port: 53, protocol: "UDP" },
        ],
      },
    };
    const { object } = applyConfiguration(service, live, wanted, {
      writer: writer("one"),
      force: true,
      kind: "/v1, Kind=Service",
      blank: {},
    });
    expect(object["spec"]).toEqual({
      ports: [
        { port: 80, protocol: "TCP", nodePort: 30000, name: "http" },
        { port: 53, protocol: "UDP" },
      ],
    });
  });
});
