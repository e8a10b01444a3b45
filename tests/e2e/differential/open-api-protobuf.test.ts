// OpenAPI as protobuf: what a real server makes of its own documents, ours makes of the same, byte by byte.
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { until } from "#base/until";
import type { ClusterAccess } from "#kube/kubeconfig";
import type { JsonObject } from "#playground/api-server/contract";
import { protobufV2 } from "#playground/api-server/open-api/protobuf-v2";
import { protobufV3 } from "#playground/api-server/open-api/protobuf-v3";
import { type RealApiServer, startRealApiServer, whyNoRealApiServer } from "../../kit/real-api-server.ts";

const reason = whyNoRealApiServer();
if (reason !== undefined) console.warn(`OpenAPI is not compared as protobuf: ${reason}`);

const DEFINITION = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.shop.example.com" },
  spec: {
    group: "shop.example.com",
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              size: { type: "number", minimum: 0, maximum: 0.5, default: 0 },
              on: { type: "boolean", default: false },
              name: {
                type: "string",
                enum: ["a", "", "true", "*", "1", "yes", "a: b", "2020-01-01"],
                maxLength: 300,
                pattern: "^",
                default: "",
              },
              port: { "x-kubernetes-int-or-string": true },
              map: { type: "object", additionalProperties: { type: "string", nullable: true }, default: { a: "b" } },
              rule: {
                type: "integer",
                "x-kubernetes-validations": [{ rule: "self > 1", message: 'it\'s: "small"\n' }],
              },
            },
          },
        },
      },
    ],
  },
};

describe.skipIf(reason !== undefined)("OpenAPI as protobuf", () => {
  let server: RealApiServer;
  beforeAll(async () => {
    server = await startRealApiServer({ name: "open-api" });
    const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    const made = await ask(server.access, path, "application/json", JSON.stringify(DEFINITION));
    expect(JSON.parse(made.toString())).toMatchObject({ kind: "CustomResourceDefinition" });
    const told = async () => (await ask(server.access, "/openapi/v2", "application/json")).includes("shop.v1.Widget");
    await until(told, { reason: "the real server's OpenAPI has the definition", timeoutMs: 60_000, intervalMs: 300 });
  }, 180_000);
  afterAll(() => server?.stop());

  test.each([
    { version: "v2", path: "/openapi/v2", encode: protobufV2 },
    { version: "v3", path: "/openapi/v3/api/v1", encode: protobufV3 },
    { version: "v3", path: "/openapi/v3/apis/shop.example.com/v1", encode: protobufV3 },
    { version: "v3", path: "/openapi/v3/version", encode: protobufV3 },
  ])("$path", { timeout: 120_000 }, async ({ version, path, encode }) => {
    const type = `application/com.github.proto-openapi.spec.${version}@v1.0+protobuf`;
    const json = await ask(server.access, path, "application/json");
    const real = await ask(server.access, path, type);
    expect(real.length).toBeGreaterThan(100);
    expect(encode(JSON.parse(json.toString()) as JsonObject).equals(real)).toBe(true);
  });
});

function ask(access: ClusterAccess, path: string, accept: string, body?: string): Promise<Buffer> {
  const { server, caPem: ca, clientCertPem: cert, clientKeyPem: key } = access;
  const headers = { accept, ...(body === undefined ? {} : { "content-type": "application/json" }) };
  return new Promise((resolve, reject) => {
    const method = body === undefined ? "GET" : "POST";
    const call = request(`${server}${path}`, { method, headers, ca, cert, key, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => resolve(Buffer.concat(pieces)));
    });
    call.on("error", reject);
    call.end(body);
  });
}
