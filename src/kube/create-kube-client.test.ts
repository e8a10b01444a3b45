// The client against the playground's real API server: what it sends is understood, and refusals arrive as KubeError.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kinds } from "#api/kinds";
import type { KubeObject } from "#api/kubernetes/object";
import { startTestCluster, type TestCluster } from "../../tests/kit/test-cluster.ts";
import { applyObject, FIELD_MANAGER } from "./apply-object.ts";
import { createKubeClient } from "./create-kube-client.ts";
import { isNamespaceTerminating, isNotFound, type KubeClient } from "./kube-client.ts";
import { parseKubeConfig } from "./kubeconfig.ts";

type ConfigMap = KubeObject & { readonly data?: Record<string, string> };

const namespace = "default";
const at = (name: string) => ({ namespace, name });
const configMap = (name: string, data: Record<string, string>, labels: Record<string, string> = {}): ConfigMap => ({
  metadata: { namespace, name, labels },
  data,
});

let cluster: TestCluster;
let client: KubeClient;

beforeAll(async () => {
  cluster = await startTestCluster("client");
  client = cluster.client;
});
afterAll(() => cluster.stop());

describe("a client", () => {
  test("creates, reads, lists by labels and fields, replaces and deletes", async () => {
    await client.create(Kinds.ConfigMap, configMap("a", { x: "1" }, { app: "crud" }));
    const created = await client.create(Kinds.ConfigMap, configMap("b", { x: "2" }, { app: "crud" }));
    expect((await client.get<ConfigMap>(Kinds.ConfigMap, at("a"))).data).toEqual({ x: "1" });
    const names = async (options: object) =>
      (await client.list(Kinds.ConfigMap, { namespace, ...options })).items.map(({ metadata }) => metadata?.name);
    expect(await names({ labelSelector: "app=crud" })).toEqual(["a", "b"]);
    expect(await names({ labelSelector: "app=crud", fieldSelector: "metadata.name=b" })).toEqual(["b"]);
    const replaced = await client.replace<ConfigMap>(Kinds.ConfigMap, { ...created, data: { x: "3" } });
    expect(replaced.data).toEqual({ x: "3" });
    await client.delete(Kinds.ConfigMap, at("b"));
    expect(await names({ labelSelector: "app=crud" })).toEqual(["a"]);
  });

  test.each([
    ["merge", { data: { x: null, y: "2" } }, { y: "2" }],
    ["strategic", { data: { y: "2" } }, { x: "1", y: "2" }],
    ["json", [{ op: "replace", path: "/data/x", value: "9" }], { x: "9" }],
  ] as const)("sends a %s patch", async (type, patch, expected) => {
    await client.create(Kinds.ConfigMap, configMap(`patched-${type}`, { x: "1" }));
    const patched = await client.patch<ConfigMap>(Kinds.ConfigMap, at(`patched-${type}`), patch, { type });
    expect(patched.data).toEqual(expected);
  });

  test("applies an object of any kind under the installation's name, twice the same as once", async () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name: "applied" }, data: { x: "1" } };
    const first = await applyObject(client, object);
    const second = await applyObject(client, object);
    expect(second.metadata?.resourceVersion).toBe(first.metadata?.resourceVersion);
    expect(first.metadata?.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([
      [FIELD_MANAGER, "Apply"],
    ]);
  });

  test("a dry run changes nothing", async () => {
    await client.create(Kinds.ConfigMap, configMap("dry", {}), { dryRun: true });
    await expect(client.get(Kinds.ConfigMap, at("dry"))).rejects.toSatisfy(isNotFound);
  });

  test("tells a namespace that is going away from other refusals", async () => {
    await client.create(Kinds.Namespace, { metadata: { name: "going" }, spec: { finalizers: ["kubernetes"] } });
    await client.delete(Kinds.Namespace, { name: "going" });
    const late = client.create(Kinds.ConfigMap, { metadata: { namespace: "going", name: "late" } });
    await expect(late).rejects.toSatisfy(isNamespaceTerminating);
    const nowhere = client.create(Kinds.ConfigMap, { metadata: { namespace: "nowhere", name: "late" } });
    await expect(nowhere).rejects.not.toSatisfy(isNamespaceTerminating);
  });

  test("deletes only the object that was meant", async () => {
    await client.create(Kinds.ConfigMap, configMap("meant", {}));
    await expect(client.delete(Kinds.ConfigMap, at("meant"), { uid: "of-another" })).rejects.toMatchObject({
      status: 409,
      reason: "Conflict",
    });
  });

  test("finds a kind that was defined after it looked for the first time", async () => {
    await expect(client.resourceType("example.com/v1", "Widget")).rejects.toMatchObject({
      status: 404,
      hint: expect.stringContaining("CustomResourceDefinition"),
    });
    const schema = { openAPIV3Schema: { type: "object" } };
    await cluster.apply({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "widgets.example.com" },
      spec: {
        group: "example.com",
        scope: "Namespaced",
        names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
        versions: [{ name: "v1", served: true, storage: true, schema }],
      },
    });
    expect(await client.resourceType("example.com/v1", "Widget")).toMatchObject({ plural: "widgets" });
  });

  test("gives text where the answer is none of JSON", async () => {
    expect(await client.request("GET", "/healthz")).toBe("ok");
  });

  test("goes on after the server has closed the connections it kept", async () => {
    await cluster.restart();
    expect((await client.list(Kinds.Namespace)).items.length).toBeGreaterThan(0);
  });
});

describe("a refusal", () => {
  test("carries status, reason and the server's sentence", async () => {
    await expect(client.get(Kinds.ConfigMap, at("missing"))).rejects.toMatchObject({
      status: 404,
      reason: "NotFound",
      code: "KUBE_NOTFOUND",
      message: expect.stringContaining('"missing" not found'),
    });
  });

  test("of a foreign server's certificate names the server and the context, and never a credential", async () => {
    const { caPem: _, ...access } = parseKubeConfig(cluster.kubeconfig);
    const authorization = async () => "Bearer very-secret";
    const stranger = createKubeClient({ ...access, authorization });
    const thrown = await stranger.list(Kinds.Pod).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ status: 0, reason: "Unreachable" });
    expect(String(thrown)).toContain(`${cluster.url} of context "client"`);
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain("very-secret");
    await stranger.close();
  });

  test("of a caller whom nobody knows", async () => {
    const { clientCertPem: _, clientKeyPem: __, ...access } = parseKubeConfig(cluster.kubeconfig);
    const token = await cluster.token(namespace, "nobody", "https://kubernetes.default.svc.cluster.local");
    for (const [authorization, status] of [
      ["Bearer nonsense", 401],
      [`Bearer ${token}`, 403],
    ] as const) {
      const stranger = createKubeClient({ ...access, authorization: async () => authorization });
      await expect(stranger.list(Kinds.Secret)).rejects.toMatchObject({ status });
      await stranger.close();
    }
  });

  test("an aborted request ends with the signal's own reason", async () => {
    const stop = new AbortController();
    const reason = new Error("enough");
    stop.abort(reason);
    await expect(client.list(Kinds.Pod, { signal: stop.signal })).rejects.toBe(reason);
  });
});
