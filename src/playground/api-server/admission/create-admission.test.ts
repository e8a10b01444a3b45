import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { type ClusterPki, clusterPki } from "../../../../tests/kit/cluster-pki.ts";
import { type MemoryObjects, memoryObjects } from "../../../../tests/kit/memory-objects.ts";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject } from "../contract.ts";
import { createRegistry } from "../registry.ts";
import { createAdmission } from "./create-admission.ts";
import { ADMISSION_GROUP } from "./webhook-configuration.ts";

interface Review {
  readonly apiVersion: string;
  readonly request: JsonObject & { uid: string; object: JsonObject };
}

type Answer = (review: Review) => JsonObject | undefined;

let pki: ClusterPki;
let server: Server;
let port: number;
let objects: MemoryObjects;
let plugins: AdmissionPlugin[];
let answers: Record<string, Answer>;
let seen: { path: string; host: string | undefined; review: Review }[];

beforeAll(async () => {
  pki = await clusterPki();
  const { certificatePem, privateKeyPem } = await pki.serverFor("istiod.istio-system.svc");
  server = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    void (async () => {
      const review = JSON.parse(await text(request)) as Review;
      const path = request.url ?? "";
      seen.push({ path, host: request.headers.host, review });
      const answer = answers[path.split("?")[0] ?? ""]?.(review);
      // No answer: the test wants to see a timeout.
      if (answer === undefined) return;
      const { apiVersion } = review;
      response.end(
        JSON.stringify({ kind: "AdmissionReview", apiVersion, response: { uid: review.request.uid, ...answer } }),
      );
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  pki.remove();
});

beforeEach(() => {
  objects = memoryObjects();
  const authorizer = { authorize: () => ({ allowed: true, reason: "" }) };
  const registry = createRegistry();
  plugins = createAdmission({ config: pki.config, objects, authorizer, registry, logger: silentLogger() });
  answers = {};
  seen = [];
  objects.put("", "namespaces", { metadata: { name: "sample", labels: { "istio-injection": "enabled" } } });
  objects.put("", "serviceaccounts", { metadata: { namespace: "sample", name: "default" } });
  const spec = { clusterIP: "127.0.0.1", ports: [{ port }] };
  objects.put("", "services", { metadata: { namespace: "istio-system", name: "istiod" }, spec });
});

afterEach(() => server.closeIdleConnections());

function podRequest(changes: Partial<AdmissionAttributes> = {}): AdmissionAttributes {
  return {
    operation: "CREATE",
    group: "",
    version: "v1",
    kind: "Pod",
    resource: "pods",
    subresource: "",
    namespace: "sample",
    name: "p",
    user: { username: "alice", groups: ["dev"] },
    dryRun: false,
    object: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p", namespace: "sample", labels: { app: "sleep" } },
      spec: { containers: [{ name: "c" }] },
    },
    oldObject: undefined,
    ...changes,
  };
}

async function admit(attributes: AdmissionAttributes): Promise<JsonObject | undefined> {
  let { object } = attributes;
  for (const plugin of plugins) object = await plugin.admit({ ...attributes, object });
  return object;
}

function putWebhook(sort: "mutating" | "validating", hook: JsonObject & { path?: string }, name = "config"): void {
  const { path = "/inject", ...rest } = hook;
  objects.put(ADMISSION_GROUP, `${sort}webhookconfigurations`, {
    metadata: { name },
    webhooks: [
      {
        name: "inject.istio.io",
        clientConfig: {
          service: { namespace: "istio-system", name: "istiod", path, port },
          caBundle: Buffer.from(pki.serverCa.certificatePem).toString("base64"),
        },
        rules: [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }],
        failurePolicy: "Fail",
        sideEffects: "None",
        admissionReviewVersions: ["v1", "v1beta1"],
        ...rest,
      },
    ],
  });
}

const patch = (...operations: JsonObject[]): JsonObject => ({
  allowed: true,
  patchType: "JSONPatch",
  patch: Buffer.from(JSON.stringify(operations)).toString("base64"),
});

const addContainer = (name: string) => patch({ op: "add", path: "/spec/containers/-", value: { name } });
const containersOf = (pod: JsonObject | undefined) =>
  (pod as { spec: { containers: { name: string; volumeMounts?: { mountPath: string }[] }[] } }).spec.containers;

describe("NamespaceLifecycle", () => {
  test("a missing namespace is 404", async () => {
    await expect(admit(podRequest({ namespace: "nowhere" }))).rejects.toMatchObject({
      code: 404,
      message: 'namespaces "nowhere" not found',
    });
  });

  test("nothing new in a terminating namespace", async () => {
    objects.put("", "namespaces", { metadata: { name: "sample" }, status: { phase: "Terminating" } });
    await expect(admit(podRequest())).rejects.toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: unable to create new content in namespace sample because it is being terminated',
    });
    await admit(podRequest({ operation: "UPDATE" }));
  });

  test("the default namespace stays", async () => {
    const request = {
      operation: "DELETE",
      kind: "Namespace",
      resource: "namespaces",
      name: "default",
      namespace: "default",
    };
    await expect(admit(podRequest({ ...request, operation: "DELETE", object: undefined }))).rejects.toThrow(
      'namespaces "default" is forbidden: this namespace may not be deleted',
    );
  });
});

describe("ServiceAccount", () => {
  test("gives a pod its account and the token volume", async () => {
    const pod = await admit(podRequest());
    const spec = pod?.["spec"] as JsonObject;
    expect(spec["serviceAccountName"]).toBe("default");
    const [volume] = spec["volumes"] as { name: string; projected: { sources: JsonObject[] } }[];
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(volume?.projected.sources[0]).toEqual({ serviceAccountToken: { expirationSeconds: 3607, path: "token" } });
    expect(containersOf(pod)[0]?.volumeMounts).toEqual([
      { name: volume?.name, readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
    ]);
  });

  test("refuses until the account exists", async () => {
    objects.remove("", "serviceaccounts", "sample", "default");
    await expect(admit(podRequest())).rejects.toThrow(
      'pods "p" is forbidden: error looking up service account sample/default: serviceaccount "default" not found',
    );
    const metadata = { generateName: "p-", namespace: "sample" };
    const unnamed = podRequest({ name: "", object: { ...podRequest().object, metadata } });
    await expect(admit(unnamed)).rejects.toThrow('pods "p-" is forbidden');
  });

  test("mounts nothing where automount is off; the pod's word outweighs the account's", async () => {
    objects.put("", "serviceaccounts", {
      metadata: { namespace: "sample", name: "default" },
      automountServiceAccountToken: false,
    });
    expect((await admit(podRequest()))?.["spec"]).not.toHaveProperty("volumes");
    const object = { spec: { containers: [{ name: "c" }], automountServiceAccountToken: true } };
    expect((await admit(podRequest({ object })))?.["spec"]).toHaveProperty("volumes");
  });
});

describe("mutating webhooks", () => {
  test("patch the object over TLS as NAME.NS.svc, and the new container gets the token too", async () => {
    putWebhook("mutating", {});
    answers["/inject"] = () => addContainer("istio-proxy");
    const pod = await admit(podRequest());
    expect(containersOf(pod).map(({ name }) => name)).toEqual(["c", "istio-proxy"]);
    expect(containersOf(pod)[1]?.volumeMounts?.[0]?.mountPath).toContain("serviceaccount");
    expect(seen).toHaveLength(1);
    expect(seen[0]?.path).toBe("/inject?timeout=10s");
    expect(seen[0]?.host).toBe(`istiod.istio-system.svc:${port}`);
    expect(seen[0]?.review).toMatchObject({
      apiVersion: "admission.k8s.io/v1",
      request: {
        kind: { group: "", version: "v1", kind: "Pod" },
        resource: { group: "", version: "v1", resource: "pods" },
        namespace: "sample",
        operation: "CREATE",
        userInfo: { username: "alice", groups: ["dev"] },
        dryRun: false,
        options: { kind: "CreateOptions", apiVersion: "meta.k8s.io/v1" },
      },
    });
  });

  test.each<[string, JsonObject, number]>([
    ["a matching namespaceSelector", { namespaceSelector: { matchLabels: { "istio-injection": "enabled" } } }, 1],
    ["another namespaceSelector", { namespaceSelector: { matchLabels: { "istio.io/rev": "x" } } }, 0],
    [
      "an objectSelector by expression",
      { objectSelector: { matchExpressions: [{ key: "sidecar.istio.io/inject", operator: "DoesNotExist" }] } },
      1,
    ],
    ["another objectSelector", { objectSelector: { matchLabels: { app: "other" } } }, 0],
    [
      "another operation",
      { rules: [{ operations: ["UPDATE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }] },
      0,
    ],
    ["stars", { rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }] }, 1],
    [
      "cluster scope only",
      { rules: [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"], scope: "Cluster" }] },
      0,
    ],
    [
      "a subresource",
      { rules: [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods/status"] }] },
      0,
    ],
  ])("%s: called %#", async (_name, hook, calls) => {
    putWebhook("mutating", hook);
    answers["/inject"] = () => ({ allowed: true });
    await admit(podRequest());
    expect(seen).toHaveLength(calls);
  });

  test("run in order of their configurations' names, and those that ask for it see later changes", async () => {
    putWebhook("mutating", { path: "/first", reinvocationPolicy: "IfNeeded" }, "a");
    putWebhook("mutating", { path: "/second" }, "b");
    const has = (review: Review, name: string) => containersOf(review.request.object).some((c) => c.name === name);
    answers["/first"] = (review) => (has(review, "one") ? { allowed: true } : addContainer("one"));
    answers["/second"] = () => addContainer("two");
    expect(containersOf(await admit(podRequest())).map(({ name }) => name)).toEqual(["c", "one", "two"]);
    expect(seen.map(({ path }) => path.split("?")[0])).toEqual(["/first", "/second", "/first"]);
  });

  test("a denial carries the webhook's words and code", async () => {
    putWebhook("mutating", {});
    answers["/inject"] = () => ({ allowed: false, status: { code: 403, reason: "Forbidden", message: "no" } });
    await expect(admit(podRequest())).rejects.toMatchObject({
      code: 403,
      message: 'admission webhook "inject.istio.io" denied the request: no',
    });
    answers["/inject"] = () => ({ allowed: false });
    await expect(admit(podRequest())).rejects.toMatchObject({
      code: 400,
      message: 'admission webhook "inject.istio.io" denied the request without explanation',
    });
  });

  test.each<[string, JsonObject, RegExp]>([
    [
      "nobody listens",
      { clientConfig: { url: "https://127.0.0.1:1/inject" } },
      /^Internal error occurred: failed calling webhook "inject.istio.io": failed to call webhook: Post "https:\/\/127.0.0.1:1\/inject\?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused$/,
    ],
    [
      "no such service",
      { clientConfig: { service: { namespace: "istio-system", name: "gone", path: "/inject" } } },
      /failed to call webhook: Post "https:\/\/gone.istio-system.svc:443\/inject\?timeout=10s": service "gone" not found$/,
    ],
    ["no answer in time", { timeoutSeconds: 1, path: "/silent" }, /context deadline exceeded$/],
  ])("%s: the call fails, or is ignored", async (_name, hook, message) => {
    answers["/silent"] = () => undefined;
    putWebhook("mutating", hook);
    await expect(admit(podRequest())).rejects.toThrow(message);
    putWebhook("mutating", { ...hook, failurePolicy: "Ignore" });
    expect(containersOf(await admit(podRequest()))).toHaveLength(1);
  });

  test("a server of another authority or name is not believed", async () => {
    answers["/inject"] = () => ({ allowed: true });
    const other = await clusterPki();
    other.remove();
    const service = { namespace: "istio-system", name: "istiod", path: "/inject", port };
    const caBundle = Buffer.from(other.serverCa.certificatePem).toString("base64");
    putWebhook("mutating", { clientConfig: { service, caBundle } });
    await expect(admit(podRequest())).rejects.toThrow(/tls: failed to verify certificate/);
    objects.put("", "services", {
      metadata: { namespace: "other", name: "istiod" },
      spec: { clusterIP: "127.0.0.1", ports: [{ port }] },
    });
    const good = Buffer.from(pki.serverCa.certificatePem).toString("base64");
    putWebhook("mutating", { clientConfig: { service: { ...service, namespace: "other" }, caBundle: good } });
    await expect(admit(podRequest())).rejects.toThrow(/istiod.other.svc/);
  });

  test("a dry run is refused by webhooks with side effects, and marked for the others", async () => {
    answers["/inject"] = () => ({ allowed: true });
    putWebhook("mutating", { sideEffects: "Some" });
    await expect(admit(podRequest({ dryRun: true }))).rejects.toMatchObject({ code: 400 });
    putWebhook("mutating", { sideEffects: "NoneOnDryRun" });
    await admit(podRequest({ dryRun: true }));
    expect(seen[0]?.review.request["dryRun"]).toBe(true);
  });

  test("matchPolicy Equivalent shows a custom resource in the version that the rule names", async () => {
    objects.put("apiextensions.k8s.io", "customresourcedefinitions", {
      metadata: { name: "gateways.networking.istio.io" },
      spec: {
        versions: [
          { name: "v1", served: true },
          { name: "v1beta1", served: true },
        ],
      },
    });
    const rules = [{ operations: ["*"], apiGroups: ["*"], apiVersions: ["v1"], resources: ["gateways"] }];
    const gateway = podRequest({
      group: "networking.istio.io",
      version: "v1beta1",
      kind: "Gateway",
      resource: "gateways",
      object: { apiVersion: "networking.istio.io/v1beta1", kind: "Gateway", metadata: { name: "g" }, spec: {} },
    });
    answers["/inject"] = () => patch({ op: "add", path: "/spec/x", value: 1 });
    putWebhook("mutating", { rules, matchPolicy: "Exact" });
    expect((await admit(gateway))?.["spec"]).toEqual({});
    putWebhook("mutating", { rules });
    expect(await admit(gateway)).toMatchObject({ apiVersion: "networking.istio.io/v1beta1", spec: { x: 1 } });
    expect(seen[0]?.review.request).toMatchObject({
      object: { apiVersion: "networking.istio.io/v1" },
      resource: { version: "v1" },
      requestResource: { version: "v1beta1" },
    });
  });

  test("a patch that does not fit fails the call", async () => {
    putWebhook("mutating", {});
    answers["/inject"] = () => patch({ op: "replace", path: "/spec/nothing/here", value: 1 });
    await expect(admit(podRequest())).rejects.toThrow(/replace operation does not apply: doc is missing path/);
  });
});

describe("NodeRestriction", () => {
  test("a node registers itself and no other", async () => {
    const register = (name: string) => {
      const user = { username: "system:node:a", groups: ["system:nodes"] };
      const object = { kind: "Node", metadata: { name } };
      return admit(podRequest({ kind: "Node", resource: "nodes", namespace: "", name, object, user }));
    };
    await register("a");
    await expect(register("b")).rejects.toThrow('nodes "b" is forbidden: node "a" is not allowed to modify node "b"');
  });
});

describe("validating webhooks", () => {
  test("a mutating webhook may refuse a deletion too", async () => {
    const rules = [{ operations: ["DELETE"], apiGroups: ["*"], apiVersions: ["*"], resources: ["*"] }];
    putWebhook("mutating", { rules });
    answers["/inject"] = ({ request }) => ({ allowed: request.object !== null, status: { message: "stay" } });
    const { object } = podRequest();
    await expect(admit(podRequest({ operation: "DELETE", object: undefined, oldObject: object }))).rejects.toThrow(
      "stay",
    );
  });

  test("see the result of the mutating ones and may refuse it", async () => {
    putWebhook("mutating", { path: "/mutate" });
    putWebhook("validating", { path: "/validate", name: "check.istio.io" });
    answers["/mutate"] = () => addContainer("istio-proxy");
    answers["/validate"] = ({ request }) => ({
      allowed: containersOf(request.object).length === 1,
      status: { message: "too many" },
    });
    await expect(admit(podRequest())).rejects.toThrow(
      'admission webhook "check.istio.io" denied the request: too many',
    );
    answers["/mutate"] = () => ({ allowed: true });
    await admit(podRequest());
  });
});

describe("privilege escalation", () => {
  const GROUP = "rbac.authorization.k8s.io";
  const rules = (...resources: string[]) => [{ apiGroups: [""], resources, verbs: ["get"] }];
  const write = (resource: string, object: JsonObject, user = { username: "alice", groups: ["dev"] }) =>
    admit(podRequest({ group: GROUP, kind: "x", resource, name: "x", object, user }));

  beforeEach(() => {
    objects.put(GROUP, "clusterroles", { metadata: { name: "held" }, rules: rules("pods", "services") });
    objects.put(GROUP, "clusterroles", { metadata: { name: "more" }, rules: rules("secrets") });
    objects.put(GROUP, "rolebindings", {
      metadata: { namespace: "sample", name: "b" },
      roleRef: { kind: "ClusterRole", name: "held" },
      subjects: [{ kind: "User", name: "alice" }],
    });
  });

  test("one may grant what one holds, and no more", async () => {
    await write("roles", { rules: rules("pods") });
    await expect(write("roles", { rules: rules("pods", "secrets") })).rejects.toThrow(
      /user "alice" \(groups=\["dev"\]\) is attempting to grant RBAC permissions not currently held:\n.*secrets/,
    );
    await expect(write("roles", { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] })).rejects.toThrow();
    await write("roles", { rules: rules("secrets") }, { username: "root", groups: ["system:masters"] });
  });

  test("verbs on the same thing are told together, sorted", async () => {
    const both = { apiGroups: [""], resources: ["secrets", "nodes"], verbs: ["get", "list"] };
    const missing =
      '{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}\n{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}';
    await expect(write("roles", { rules: [both] })).rejects.toThrow(`not currently held:\n${missing}`);
  });

  test("a binding needs the bound role's rights or the verb bind", async () => {
    await write("rolebindings", { roleRef: { kind: "ClusterRole", name: "held" } });
    await expect(write("rolebindings", { roleRef: { kind: "ClusterRole", name: "more" } })).rejects.toThrow(/secrets/);
    objects.put(GROUP, "clusterroles", {
      metadata: { name: "held" },
      rules: [{ apiGroups: [GROUP], resources: ["clusterroles"], verbs: ["bind"], resourceNames: ["more"] }],
    });
    await write("rolebindings", { roleRef: { kind: "ClusterRole", name: "more" } });
    await expect(write("rolebindings", { roleRef: { kind: "ClusterRole", name: "none" } })).rejects.toThrow(
      'rolebindings.rbac.authorization.k8s.io "none" not found',
    );
  });
});
