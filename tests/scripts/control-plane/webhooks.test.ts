// The admission webhooks over HTTPS, and what lets API servers call them.
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Kinds } from "#api/kinds";
import type {
  ConfigMap,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { startTestCluster, type TestCluster } from "../../kit/test-cluster.ts";
import { startTestControlPlane, type TestControlPlane } from "../../kit/test-control-plane.ts";

// A busy machine is no failure.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let cluster: TestCluster;
let plane: TestControlPlane;
let rootPem: string;

const NS = "istio-system";
const values = { global: { network: "network1", multiCluster: { clusterName: "cluster1" } } };
const service = { name: "istiod", namespace: NS, path: "/inject", port: 443 };
const rules = [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }];
const common = { admissionReviewVersions: ["v1"], sideEffects: "None", rules };

beforeAll(async () => {
  cluster = await startTestCluster("cluster1");
  const { client } = cluster;
  await client.create(Kinds.Namespace, { metadata: { name: NS } });
  await client.create<ConfigMap>(Kinds.ConfigMap, {
    metadata: { namespace: NS, name: "istio" },
    data: { mesh: "trustDomain: cluster.local" },
  });
  plane = await startTestControlPlane(cluster);
  rootPem = await until(
    () =>
      client
        .get<ConfigMap>(Kinds.ConfigMap, { namespace: NS, name: "istio-ca-root-cert" })
        .then((map) => map.data?.["root-cert.pem"])
        .catch(() => undefined),
    { reason: "the root is published", timeoutMs: 60_000, intervalMs: 10 },
  );
});

afterAll(async () => {
  await plane?.stop();
  await cluster?.stop();
});

function call(path: string, body: unknown): Promise<{ status: number; json: unknown }> {
  return new Promise((resolve, reject) => {
    const options = {
      method: "POST",
      host: "127.0.0.1",
      port: plane.ports.webhooks,
      path,
      ca: rootPem,
      servername: "istiod.istio-system.svc",
    };
    const out = request(options, (answer) => {
      let text = "";
      answer.on("data", (chunk) => {
        text += chunk;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, json: JSON.parse(text) }));
    });
    out.on("error", reject);
    out.end(JSON.stringify(body));
  });
}

const review = (kind: string, object: unknown, operation = "CREATE") => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: { uid: "u1", namespace: "sample", operation, kind: { kind }, object },
});
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "sleep-" },
  spec: { containers: [{ name: "sleep", image: "x" }] },
};

describe("injection webhook", () => {
  test("refuses for now when nobody has installed its settings, and injects as soon as they are there", async () => {
    const early = await call("/inject", review("Pod", pod));
    expect([early.status, early.json]).toEqual([
      503,
      { message: expect.stringMatching(/istio-sidecar-injector is missing/) },
    ]);
    await cluster.client.create<ConfigMap>(Kinds.ConfigMap, {
      metadata: { namespace: NS, name: "istio-sidecar-injector" },
      data: { config: "policy: enabled", values: JSON.stringify(values) },
    });
    const answer = await until(
      async () => {
        const { status, json } = await call("/inject/cluster/c7/net/n7", review("Pod", pod));
        return status === 200 ? (json as { response: { allowed: boolean; patch: string } }) : undefined;
      },
      { reason: "the settings arrive", timeoutMs: 60_000, intervalMs: 10 },
    );
    expect(answer.response.allowed).toBe(true);
    const patch = Buffer.from(answer.response.patch, "base64").toString();
    expect(patch).toMatch(/"istio-proxy"/);
    expect(patch).toMatch(/"ISTIO_META_CLUSTER_ID","value":"c7"/);
  });

  test("counts what it did", async () => {
    const { text } = await plane.get("/metrics");
    expect(text).toMatch(/^sidecar_injection_success_total 1$/m);
    expect(text).toMatch(/^sidecar_injection_failure_total [1-9]/m);
  });

  test("a body that is no review is a bad request", async () => {
    expect((await call("/inject", { hello: 1 })).status).toBe(400);
    expect((await call("/nowhere", {})).status).toBe(404);
  });
});

describe("validation webhook", () => {
  const gateway = (mode: string) => ({
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "g" },
    spec: {
      selector: { istio: "x" },
      servers: [{ port: { number: 15443, name: "tls", protocol: "TLS" }, tls: { mode }, hosts: ["*.local"] }],
    },
  });

  test("allows what can be read, refuses what cannot and says where, and lets deletions pass", async () => {
    const verdict = async (object: unknown, operation?: string) =>
      (await call("/validate", review("Gateway", object, operation))).json as {
        response: { allowed: boolean; status?: { message: string } };
      };
    expect((await verdict(gateway("AUTO_PASSTHROUGH"))).response.allowed).toBe(true);
    const bad = await verdict(gateway("NONSENSE"));
    expect(bad.response.allowed).toBe(false);
    expect(bad.response.status?.message).toMatch(/servers\[0\].*mode/);
    expect((await verdict(gateway("NONSENSE"), "DELETE")).response.allowed).toBe(true);
  });
});

describe("caBundle", () => {
  const bundleOf = (configuration: MutatingWebhookConfiguration | ValidatingWebhookConfiguration) =>
    configuration.webhooks?.map((webhook) => Buffer.from(webhook.clientConfig.caBundle ?? "", "base64").toString());
  const wait = (name: string, type: (typeof Kinds)[keyof typeof Kinds]) =>
    until(
      async () => {
        const configuration = await cluster.client.get<MutatingWebhookConfiguration>(type, { name });
        return bundleOf(configuration)?.[0] === rootPem ? configuration : undefined;
      },
      { reason: `${name} has our root`, timeoutMs: 60_000, intervalMs: 10 },
    );

  test("is written into webhooks of this revision that call this control plane, put back, and nowhere else", async () => {
    const webhook = (name: string, namespace: string) => ({
      ...common,
      name,
      clientConfig: { service: { ...service, namespace } },
    });
    await cluster.client.create<MutatingWebhookConfiguration>(Kinds.MutatingWebhookConfiguration, {
      metadata: { name: "istio-sidecar-injector", labels: { "istio.io/rev": "default" } },
      webhooks: [
        webhook("namespace.sidecar-injector.istio.io", NS),
        webhook("other.sidecar-injector.istio.io", "elsewhere"),
      ],
    });
    await cluster.client.create<MutatingWebhookConfiguration>(Kinds.MutatingWebhookConfiguration, {
      metadata: { name: "of-another-revision", labels: { "istio.io/rev": "canary" } },
      webhooks: [webhook("namespace.sidecar-injector.istio.io", NS)],
    });
    const written = await wait("istio-sidecar-injector", Kinds.MutatingWebhookConfiguration);
    expect(bundleOf(written)).toEqual([rootPem, ""]);
    const patch = [{ op: "remove", path: "/webhooks/0/clientConfig/caBundle" }];
    await cluster.client.patch(Kinds.MutatingWebhookConfiguration, { name: "istio-sidecar-injector" }, patch, {
      type: "json",
    });
    await wait("istio-sidecar-injector", Kinds.MutatingWebhookConfiguration);
    const other = await cluster.client.get<MutatingWebhookConfiguration>(Kinds.MutatingWebhookConfiguration, {
      name: "of-another-revision",
    });
    expect(bundleOf(other)).toEqual([""]);
  });

  test("a validator becomes strict once it can be called", async () => {
    await cluster.client.create<ValidatingWebhookConfiguration>(Kinds.ValidatingWebhookConfiguration, {
      metadata: { name: "istio-validator-istio-system", labels: { "istio.io/rev": "default" } },
      webhooks: [
        {
          ...common,
          name: "rev.validation.istio.io",
          failurePolicy: "Ignore",
          clientConfig: { service: { ...service, path: "/validate" } },
        },
      ],
    });
    const written = await wait("istio-validator-istio-system", Kinds.ValidatingWebhookConfiguration);
    expect(written.webhooks?.[0]?.failurePolicy).toBe("Fail");
  });
});
