// The control plane on what `install` renders, with the rights that `install` grants and no other.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { IstioOperator } from "#api/install/istio-operator/istio-operator";
import { Kinds } from "#api/kinds";
import type {
  ConfigMap,
  MutatingWebhookConfiguration,
  ValidatingWebhookConfiguration,
} from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { GrpcError } from "#grpc/grpc-error";
import { injectPod } from "#inject/inject-pod";
import type { InjectionSettings } from "#inject/injection-settings";
import { renderInstall } from "#install/render-install";
import { resolveInstall } from "#install/resolve-install";
import { connectAds } from "../../kit/ads-client.ts";
import { startTestCluster, type TestCluster } from "../../kit/test-cluster.ts";
import { startTestControlPlane, type TestControlPlane } from "../../kit/test-control-plane.ts";

// A busy machine is no failure.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const NS = "istio-system";
const GUIDE_OPERATOR: IstioOperator = {
  apiVersion: "install.istio.io/v1alpha1",
  kind: "IstioOperator",
  spec: { values: { global: { meshID: "mesh1", multiCluster: { clusterName: "cluster1" }, network: "network1" } } },
};
let cluster: TestCluster;
let plane: TestControlPlane;

beforeAll(async () => {
  cluster = await startTestCluster("cluster1");
  await cluster.client.create(Kinds.Namespace, { metadata: { name: NS } });
  const install = resolveInstall({ operators: [GUIDE_OPERATOR] });
  for (const { component, objects } of renderInstall(install)) {
    if (component === "IngressGateways") continue;
    await cluster.apply(...(objects as Parameters<TestCluster["apply"]>));
  }
  const token = await cluster.token(NS, "istiod", "https://kubernetes.default.svc.cluster.local");
  plane = await startTestControlPlane({ ...cluster, kubeconfig: withToken(cluster.kubeconfig, token) });
  await plane.ready();
});

afterAll(async () => {
  await plane?.stop();
  await cluster?.stop();
});

function withToken(kubeconfig: string, token: string): string {
  const config = JSON.parse(kubeconfig) as { users: { name: string; user: unknown }[] };
  return JSON.stringify({ ...config, users: config.users.map(({ name }) => ({ name, user: { token } })) });
}

const wait = <T>(reason: string, look: () => Promise<T | undefined | false>) =>
  until(() => look().catch(() => undefined), { reason, timeoutMs: 60_000, intervalMs: 10 });

describe("installed by the guide", () => {
  test("its own account may write roots and bundles, and keep its CA", async () => {
    const at = { namespace: "default", name: "istio-ca-root-cert" };
    const root = await wait("the root is published", () =>
      cluster.client.get<ConfigMap>(Kinds.ConfigMap, at).then((map) => map.data?.["root-cert.pem"]),
    );
    const bundle = Buffer.from(root).toString("base64");
    await wait("injection webhooks have the bundle", async () => {
      const found = await cluster.client.get<MutatingWebhookConfiguration>(Kinds.MutatingWebhookConfiguration, {
        name: "istio-sidecar-injector",
      });
      return found.webhooks?.every((webhook) => webhook.clientConfig.caBundle === bundle);
    });
    for (const name of ["istiod-default-validator", `istio-validator-${NS}`]) {
      await wait(`${name} is strict`, async () => {
        const found = await cluster.client.get<ValidatingWebhookConfiguration>(Kinds.ValidatingWebhookConfiguration, {
          name,
        });
        return found.webhooks?.every(
          ({ failurePolicy, clientConfig }) => failurePolicy === "Fail" && clientConfig.caBundle === bundle,
        );
      });
    }
    expect(await cluster.client.get(Kinds.Secret, { namespace: NS, name: "istio-ca-secret" })).toMatchObject({
      type: "istio.io/ca-root",
    });
  });

  test("pods get the cluster, network and mesh that the IstioOperator names", async () => {
    const { settings } = await wait("settings are read", async () => {
      const page = await plane.debug<{ problem?: string; settings?: InjectionSettings }>("inject");
      return page.settings === undefined ? undefined : { settings: page.settings };
    });
    expect(settings).toMatchObject({
      clusterId: "cluster1",
      network: "network1",
      meshId: "mesh1",
      revision: "default",
    });
    expect(settings.proxy.image).toMatch(/\/proxyv2:/);
    const pod = {
      metadata: { namespace: "sample", name: "sleep" },
      spec: { containers: [{ name: "sleep", image: "x" }] },
    };
    expect(JSON.stringify(injectPod(pod, settings).patch)).toMatch(/"istio-init"/);
  });

  test("ends although a proxy is connected, and tells the proxy", async () => {
    const proxy = connectAds({
      port: plane.ports.grpc,
      node: { id: "sidecar~10.244.0.9~a.sample~sample.svc.cluster.local", metadata: { CLUSTER_ID: "cluster1" } },
    });
    proxy.subscribe("CDS", "*");
    await until(() => proxy.names("CDS").length > 0, { reason: "clusters come", timeoutMs: 60_000 });
    await plane.stop();
    expect(await proxy.ended).toBeInstanceOf(GrpcError);
    proxy.close();
  });
});
