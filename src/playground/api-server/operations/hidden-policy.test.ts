import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { silentLogger } from "#base/logger";
import { SERVER } from "../bootstrap-objects.ts";
import type { JsonObject } from "../contract.ts";
import { createEngine } from "../create-engine.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { createObject } from "./create-object.ts";
import { modifyObject } from "./modify-object.ts";
import { updateObject } from "./update-object.ts";

const CONTEXT = { ...SERVER, fieldManager: "test" };

/** The service `web` of an API server, and what changes it. */
function openServer(place: { readonly dataDir?: string } = {}) {
  const parts = { ...createEngine({ serviceCIDR: "10.96.0.0/16", ...place }, silentLogger()), admission: [] };
  const kind = parts.registry.find("", "v1", "services");
  if (kind === undefined) throw new Error("services are not served");
  const target = { namespace: "default", name: "web", subresource: "" };
  const create = () => {
    const body: JsonObject = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web" },
      spec: { type: "ExternalName", externalName: "example.com" },
    };
    return createObject(parts, kind, { target: { ...target, name: "" }, body, context: CONTEXT });
  };
  const change = (spec: JsonObject) =>
    modifyObject(parts, kind, {
      target,
      context: CONTEXT,
      transform: (shown) => ({ ...shown, spec: { ...objectAt(shown, "spec"), ...spec } }),
    });
  const put = (object: JsonObject) =>
    updateObject(parts, kind, { target, body: structuredClone(object), context: CONTEXT });
  return { create, change, put, close: () => parts.store.close() };
}

async function externalService() {
  const server = openServer();
  await server.create();
  return server;
}

const AS_CLUSTER_IP: JsonObject = { type: "ClusterIP", externalName: "", ports: [{ port: 80 }] };

const policyOf = (service: JsonObject) => objectAt(service, "spec")["internalTrafficPolicy"];
const versionOf = (service: JsonObject) => stringAt(service, "metadata", "resourceVersion");
const isOwned = (service: JsonObject) =>
  objectsAt(service, "metadata", "managedFields").some((entry) =>
    JSON.stringify(entry["fieldsV1"]).includes("f:internalTrafficPolicy"),
  );

test("a service of type ExternalName keeps the policy that it was given, and does not show it", async () => {
  const { change } = await externalService();
  const changed = await change({ internalTrafficPolicy: "Local" });
  expect(policyOf(changed)).toBeUndefined();
  expect(isOwned(changed)).toBe(true);
  const inside = await change(AS_CLUSTER_IP);
  expect(policyOf(inside)).toBe("Local");
});

test("to write what was shown takes it away, and is a change once", async () => {
  const { change, put } = await externalService();
  const changed = await change({ internalTrafficPolicy: "Local" });
  const { object: written } = await put(changed);
  expect(versionOf(written)).not.toBe(versionOf(changed));
  expect(isOwned(written)).toBe(false);
  const { object: again } = await put(written);
  expect(versionOf(again)).toBe(versionOf(written));
});

test("what is not shown outlives the server", async () => {
  const dataDir = mkdtempSync(join(tmpdir(), "isthmus-hidden-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true }));
  const before = openServer({ dataDir });
  await before.create();
  await before.change({ internalTrafficPolicy: "Local" });
  before.close();
  const after = openServer({ dataDir });
  expect(policyOf(await after.change({}))).toBeUndefined();
  expect(policyOf(await after.change(AS_CLUSTER_IP))).toBe("Local");
  after.close();
});
