import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject, objectAt, valueAt } from "../json.ts";
import { createRegistry } from "../registry.ts";
import type { ResourceKind } from "../resource-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { customSchema } from "./custom-schemas.ts";
import { descriptionOf, parameterDescription } from "./descriptions.ts";
import { createOpenApiDocuments } from "./open-api-documents.ts";
import { protobufV2 } from "./protobuf-v2.ts";
import { publishedNames, publishedSchema } from "./published-schemas.ts";
import { sharedParameterName } from "./shared-parameter-name.ts";

const RECORDED = new URL("../../../../tools/generate/gen/open-api.json", import.meta.url);

const META = { metadata: { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" } };
const IDENTITY = { apiVersion: { type: "string" }, kind: { type: "string" } };

/** Texts are there on a machine that could fetch them; what they stand on is always the same. */
function bare(value: JsonValue | undefined): JsonValue | undefined {
  if (Array.isArray(value)) return value.map((one) => bare(one) ?? null);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([key, part]) => key !== "description" || typeof part !== "string");
  return Object.fromEntries(kept.map(([key, part]) => [key, bare(part) ?? null]));
}

function widget(form: Schema): ResourceKind {
  return {
    group: "shop.example.com",
    version: "v1",
    kind: "Widget",
    listKind: "WidgetList",
    plural: "widgets",
    singular: "widget",
    namespaced: true,
    verbs: ["get", "list", "create", "update", "patch", "delete"],
    shortNames: [],
    categories: [],
    subresources: [],
    subresourceRows: [],
    stored: true,
    storedAs: { group: "shop.example.com", version: "v1" },
    schema: form,
    custom: {
      definition: "widgets.shop.example.com",
      form,
      columns: [],
      terminating: false,
      deprecation: "",
      selectableFields: [],
    },
  };
}

const jsonOf = ({ body }: { readonly body: Buffer }) => JSON.parse(body.toString()) as JsonObject;

describe("built-in schemas", () => {
  it("are those of a real server, but for their descriptions", () => {
    const { definitions } = JSON.parse(readFileSync(RECORDED, "utf8")) as { definitions: JsonObject };
    expect(publishedNames()).toEqual(Object.keys(definitions).sort());
    for (const [name, schema] of Object.entries(definitions)) expect(bare(publishedSchema(name)), name).toEqual(schema);
  });

  it("say in v3 what a real server puts where nobody says anything", () => {
    const document = jsonOf(
      createOpenApiDocuments(createRegistry()).v3("api/v1", "json") ?? { body: Buffer.from("{}") },
    );
    const port = objectAt(document, "components", "schemas", "io.k8s.api.core.v1.ContainerPort", "properties");
    expect(port["protocol"]).toMatchObject({ type: "string", default: "TCP" });
    const pod = objectAt(document, "components", "schemas", "io.k8s.api.core.v1.Pod", "properties");
    expect(bare(pod["spec"])).toEqual({
      default: {},
      allOf: [{ $ref: "#/components/schemas/io.k8s.api.core.v1.PodSpec" }],
    });
    const limits = objectAt(document, "components", "schemas", "io.k8s.api.core.v1.ResourceRequirements", "properties");
    expect(objectAt(limits, "limits", "additionalProperties")).toEqual({
      $ref: "#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity",
    });
  });

  it("have in v3 names, parameters and answers of a real server", () => {
    const document = jsonOf(
      createOpenApiDocuments(createRegistry()).v3("api/v1", "json") ?? { body: Buffer.from("{}") },
    );
    const ids = (path: string) =>
      Object.fromEntries(
        Object.entries(objectAt(document, "paths", path)).flatMap(([method, operation]) =>
          method === "parameters" ? [] : [[method, objectAt(operation)["operationId"]]],
        ),
      );
    const pods = "/api/v1/namespaces/{namespace}/pods";
    expect(ids(pods)).toEqual({
      get: "listCoreV1NamespacedPod",
      post: "createCoreV1NamespacedPod",
      delete: "deleteCoreV1CollectionNamespacedPod",
    });
    expect(ids("/api/v1/pods")).toEqual({ get: "listCoreV1PodForAllNamespaces" });
    expect(ids("/api/v1/watch/pods")).toEqual({ get: "watchCoreV1PodListForAllNamespaces" });
    expect(ids(`${pods}/{name}/exec`)).toEqual({
      get: "connectCoreV1GetNamespacedPodExec",
      post: "connectCoreV1PostNamespacedPodExec",
    });
    expect(ids("/api/v1/nodes/{name}/proxy/{path}")).toMatchObject({ head: "connectCoreV1HeadNodeProxyWithPath" });
    const { parameters, put } = objectAt(document, "paths", `${pods}/{name}/status`);
    expect((parameters as JsonObject[]).map(({ name }) => name)).toEqual(["name", "namespace", "pretty"]);
    expect(Object.keys(objectAt(put, "responses"))).toEqual(["200", "201", "401"]);
    expect(objectAt(put, "requestBody")["required"]).toBe(true);
  });

  it("say in v3 where each path leads and what it takes", () => {
    const document = jsonOf(
      createOpenApiDocuments(createRegistry()).v3("apis/apps/v1", "json") ?? { body: Buffer.from("{}") },
    );
    const path = "/apis/apps/v1/namespaces/{namespace}/deployments";
    const patch = objectAt(document, "paths", `${path}/{name}`, "patch");
    expect(patch["x-kubernetes-action"]).toBe("patch");
    expect(patch["x-kubernetes-group-version-kind"]).toEqual({ group: "apps", version: "v1", kind: "Deployment" });
    expect(JSON.stringify(patch["parameters"])).toMatch(/dryRun.*fieldManager.*fieldValidation.*force/);
    expect(valueAt(document, "paths", `${path}/{name}/scale`, "get", "x-kubernetes-group-version-kind")).toEqual({
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
    });
    expect(valueAt(document, "paths", "/apis/apps/v1/deployments", "get", "x-kubernetes-action")).toBe("list");
    const schemas = objectAt(document, "components", "schemas");
    const text = JSON.stringify(document);
    for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(schemas).toHaveProperty([name]);
  });
});

describe("schemas of custom resources", () => {
  const form: Schema = {
    type: "object",
    description: "A widget.",
    properties: {
      size: { type: "integer", default: 1, description: "How big." },
      color: { type: "string", nullable: true },
      free: { type: "object", properties: { a: { type: "string" } }, "x-kubernetes-preserve-unknown-fields": true },
      port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
      whole: { type: "object", "x-kubernetes-embedded-resource": true },
    },
    required: ["size", "color"],
  };

  it("say in v2 only what old clients understand", () => {
    const { properties } = customSchema(widget(form), true);
    expect(objectAt(properties, "size")).toEqual({ type: "integer", description: "How big." });
    expect(bare(customSchema(widget(form), true))).toEqual({
      type: "object",
      properties: {
        ...IDENTITY,
        ...META,
        size: { type: "integer" },
        color: {},
        free: { "x-kubernetes-preserve-unknown-fields": true },
        port: { "x-kubernetes-int-or-string": true },
        whole: {
          type: "object",
          "x-kubernetes-embedded-resource": true,
          properties: { ...IDENTITY, ...META },
          required: ["kind", "apiVersion"],
        },
      },
      required: ["size"],
      "x-kubernetes-group-version-kind": [{ group: "shop.example.com", kind: "Widget", version: "v1" }],
    });
  });

  it("forbid no field in v2 when all unknown fields are kept", () => {
    const { properties } = customSchema(widget({ ...form, "x-kubernetes-preserve-unknown-fields": true }), true);
    expect(properties).toBeUndefined();
  });

  it("are whole in v3", () => {
    const { properties } = customSchema(widget(form), false);
    expect(properties).toMatchObject({
      size: { type: "integer", default: 1, description: "How big." },
      color: { type: "string", nullable: true },
      free: { properties: { a: { type: "string" } } },
      metadata: { allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }] },
    });
  });
});

describe("documents", () => {
  it("are made again only where a definition changed", { timeout: 60_000 }, () => {
    const registry = createRegistry();
    const documents = createOpenApiDocuments(registry);
    const apps = documents.v3("apis/apps/v1", "json");
    const v2 = documents.v2("protobuf");
    registry.setCustom("widgets.shop.example.com", [widget({ type: "object" })]);
    expect(documents.v3("apis/apps/v1", "json")?.body).toBe(apps?.body);
    expect(documents.v2("protobuf").hash).not.toBe(v2.hash);
    expect(documents.v2("protobuf").body.includes("com.example.shop.v1.WidgetList")).toBe(true);
    const hash = documents.v3("apis/shop.example.com/v1", "json")?.hash ?? "";
    expect(objectAt(documents.index(), "paths")["apis/shop.example.com/v1"]).toEqual({
      serverRelativeURL: `/openapi/v3/apis/shop.example.com/v1?hash=${hash}`,
    });
    registry.setCustom("widgets.shop.example.com", []);
    expect(documents.v3("apis/shop.example.com/v1", "json")).toBeUndefined();
    expect(documents.v2("json").hash).toBe(v2.hash);
  });
});

describe("protobuf", () => {
  it("writes fields by gnostic's numbers", () => {
    const definitions = { A: { type: "object", maximum: 1.5, required: ["b"], additionalProperties: true } };
    // definitions(9) { named(1) { "A", value(2) { maximum(7) required(19) additionalProperties(21){flag(2)} type(22){"object"} } } }
    const schema = `${"39"}000000000000f83f${"9a0101"}62${"aa0102"}1001b201080a066f626a656374`;
    const value = `12${(schema.length / 2).toString(16).padStart(2, "0")}${schema}`;
    const named = `0a0141${value}`;
    const one = `0a${(named.length / 2).toString(16).padStart(2, "0")}${named}`;
    const expected = `4a${(one.length / 2).toString(16).padStart(2, "0")}${one}`;
    expect(protobufV2({ definitions }).toString("hex")).toBe(expected);
  });
});

describe("descriptions", () => {
  it.skipIf(descriptionOf("io.k8s.api.core.v1.Pod") === undefined)("tell of definitions, fields and parameters", () => {
    expect(descriptionOf("io.k8s.api.core.v1.Pod")).toMatch(/^Pod is .*\.$/);
    expect(descriptionOf("io.k8s.api.core.v1.Pod", "nothing")).toBeUndefined();
    // A list of values stands behind a blank line.
    expect(descriptionOf("io.k8s.api.core.v1.PodSpec", "restartPolicy")).toMatch(
      /\n\nPossible enum values:\n - `"Always"`\n/,
    );
    expect(parameterDescription("container", "exec")).not.toBe(parameterDescription("container", "log"));
    expect(parameterDescription("limit", "list")).toMatch(/\n\n/);
  });

  it("name what operations share by its content, as a real server does", () => {
    const body = { $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions" };
    expect(sharedParameterName("body", { name: "body", in: "body", schema: body })).toBe("body-2Y1dVQaQ");
  });
});
