// Kubernetes objects of two clusters on two networks in, what a sidecar of the first is told out.
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ClusterStatusEntry, SyncStatusEntry, TrustPage, WhyNotEntry } from "#api/debug/debug-pages";
import { Kinds } from "#api/kinds";
import type { ConfigMap } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { GrpcError } from "#grpc/grpc-error";
import { type AdsClient, connectAds } from "../../kit/ads-client.ts";
import { startTestCluster, type TestCluster } from "../../kit/test-cluster.ts";
import { startTestControlPlane, type TestControlPlane } from "../../kit/test-control-plane.ts";

// A busy machine is no failure.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const NS = "istio-system";
const CLUSTER = "outbound|5000||helloworld.sample.svc.cluster.local";
const SECRET = { namespace: NS, name: "istio-remote-secret-cluster2" };
let one: TestCluster;
let two: TestCluster;
let plane: TestControlPlane;
let otherRoot: string;

const labels = (version: string, network: string) => ({
  app: "helloworld",
  version,
  "security.istio.io/tlsMode": "istio",
  "topology.istio.io/network": network,
});

/** A helloworld of one version with one ready pod; ips of pods are equal in both clusters, as in the guide. */
async function deploy(cluster: TestCluster, version: string, network: string, ip = "10.244.0.7"): Promise<void> {
  const name = `helloworld-${version}`;
  await cluster.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "sample", name: "helloworld" },
    spec: { selector: { app: "helloworld" }, ports: [{ name: "http", port: 5000, targetPort: 5000 }] },
  });
  await addPod(cluster, { name, ip, labels: labels(version, network) });
}

/** One running pod of helloworld with an endpoint of its own. */
async function addPod(
  cluster: TestCluster,
  pod: { readonly name: string; readonly ip: string; readonly labels: Record<string, string> },
): Promise<void> {
  const { name, ip } = pod;
  await cluster.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "sample", name, labels: pod.labels },
    spec: { containers: [{ name: "app", image: "app" }] },
  });
  const at = { namespace: "sample", name, subresource: "status" };
  await cluster.client.patch(Kinds.Pod, at, { status: { phase: "Running", podIP: ip } }, { type: "merge" });
  await cluster.apply({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "sample", name, labels: { "kubernetes.io/service-name": "helloworld" } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 5000, protocol: "TCP" }],
    endpoints: [
      { addresses: [ip], conditions: { ready: true }, targetRef: { kind: "Pod", namespace: "sample", name } },
    ],
  });
}

async function gateway(cluster: TestCluster, network: string, ip: string): Promise<void> {
  const name = "istio-eastwestgateway";
  await cluster.apply({
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: NS, name, labels: { "topology.istio.io/network": network, istio: "eastwestgateway" } },
    spec: { type: "LoadBalancer", selector: { istio: "eastwestgateway" }, ports: [{ name: "tls", port: 15443 }] },
  });
  const status = { loadBalancer: { ingress: [{ ip }] } };
  await cluster.client.patch(
    Kinds.Service,
    { namespace: NS, name, subresource: "status" },
    { status },
    { type: "merge" },
  );
}

function remoteSecret() {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { ...SECRET, labels: { "istio/multiCluster": "true" } },
    data: { cluster2: Buffer.from(two.kubeconfig).toString("base64") },
  };
}

const node = (over: Record<string, string> = {}) => ({
  id: "sidecar~10.244.0.9~sleep-1.sample~sample.svc.cluster.local",
  metadata: {
    CLUSTER_ID: "cluster1",
    NETWORK: "network1",
    NAMESPACE: "sample",
    NAME: "sleep-1",
    SERVICE_ACCOUNT: "sleep",
    ...over,
  },
});

async function connect(over: Record<string, string> = {}): Promise<AdsClient> {
  const token = await one.token("sample", "sleep", "istio-ca");
  const root = await until(
    () =>
      one.client
        .get<ConfigMap>(Kinds.ConfigMap, { namespace: "sample", name: "istio-ca-root-cert" })
        .then((map) => map.data?.["root-cert.pem"])
        .catch(() => undefined),
    { reason: "the root is published", timeoutMs: 60_000, intervalMs: 10 },
  );
  return connectAds({
    port: plane.ports["secure-grpc"],
    node: node(over),
    tls: { ca: root, servername: "istiod.istio-system.svc" },
    metadata: { authorization: `Bearer ${token}`, clusterid: "cluster1" },
  });
}

beforeAll(async () => {
  [one, two] = await Promise.all([startTestCluster("cluster1"), startTestCluster("cluster2")]);
  for (const cluster of [one, two]) {
    for (const name of [NS, "sample"]) await cluster.client.create(Kinds.Namespace, { metadata: { name } });
    await cluster.client.create(Kinds.ServiceAccount, { metadata: { namespace: "sample", name: "default" } });
  }
  await Promise.all([deploy(one, "v1", "network1"), deploy(two, "v2", "network2")]);
  await gateway(two, "network2", "172.31.0.2");
  otherRoot = "";
  plane = await startTestControlPlane(one, { environment: { PILOT_DEBOUNCE_AFTER: "20ms" } });
  await plane.ready();
});

afterAll(async () => {
  await plane?.stop();
  await Promise.all([one?.stop(), two?.stop()]);
});

describe("a sidecar of cluster1", () => {
  let sidecar: AdsClient;

  beforeAll(async () => {
    sidecar = await connect();
    sidecar.subscribe("CDS", "*");
    sidecar.subscribe("EDS", CLUSTER);
    sidecar.subscribe("LDS", "*");
  });

  afterAll(() => sidecar?.close());

  test("sees its own cluster only, until a remote secret names the other", async () => {
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1"]);
    expect(sidecar.names("CDS")).toContain(CLUSTER);
    await until(() => sidecar.names("LDS").includes("virtualInbound"), { reason: "listeners come", timeoutMs: 60_000 });
    await one.apply(remoteSecret());
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1", "172.31.0.2:15443*1"]);
  });

  test("hears of a pod that comes and goes in the other cluster by endpoints alone", async () => {
    const before = { cds: sidecar.responses("CDS"), lds: sidecar.responses("LDS") };
    await deployMore("helloworld-v2b", "10.244.0.8");
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1", "172.31.0.2:15443*2"]);
    await two.client.delete(Kinds.EndpointSlice, { namespace: "sample", name: "helloworld-v2b" });
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1", "172.31.0.2:15443*1"]);
    expect({ cds: sidecar.responses("CDS"), lds: sidecar.responses("LDS") }).toEqual(before);
  });

  test("is not offered a network whose gateway lost its address, and the reason can be read", async () => {
    const at = { namespace: NS, name: "istio-eastwestgateway", subresource: "status" };
    await two.client.patch(Kinds.Service, at, { status: { loadBalancer: { ingress: [] } } }, { type: "merge" });
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1"]);
    const whynot = await plane.debug<WhyNotEntry[]>("whynotz?proxyID=sleep-1.sample");
    expect(whynot).toContainEqual(
      expect.objectContaining({
        scope: "sleep-1.sample",
        reason: "no-gateway-for-network",
        message: expect.stringMatching(/network2/),
      }),
    );
    await two.client.patch(
      Kinds.Service,
      at,
      { status: { loadBalancer: { ingress: [{ ip: "172.31.0.3" }] } } },
      { type: "merge" },
    );
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1", "172.31.0.3:15443*1"]);
  });

  test("is shown on the debug pages", async () => {
    const [entry] = await until(
      async () => {
        const page = await plane.debug<SyncStatusEntry[]>("syncz");
        return page[0]?.endpoint_acked === page[0]?.endpoint_sent ? page : undefined;
      },
      { reason: "endpoints are acknowledged", timeoutMs: 60_000 },
    );
    expect(entry).toMatchObject({ cluster_id: "cluster1", proxy: "sleep-1.sample", proxy_type: "sidecar" });
    expect(entry?.cluster_sent).not.toBe("");
    expect(entry?.cluster_acked).toBe(entry?.cluster_sent);
    const pages = Object.keys(await plane.debug<Record<string, string>>("list"));
    for (const page of pages) await plane.debug(`${page.replace("/debug/", "")}?proxyID=sleep-1.sample`);
    const dump = JSON.stringify(await plane.debug("config_dump?proxyID=sleep-1.sample"));
    expect(dump.includes(CLUSTER)).toBe(true);
    expect(dump.match(/"unreadable":"[^"]*/)).toBeNull();
    expect((await plane.get("/metrics")).text).toMatch(/^pilot_xds 1$/m);
    expect((await plane.get("/metrics")).text).toMatch(/istiod_managed_clusters\{cluster_type="remote"\} 1/);
  });

  test("forgets the other cluster with its secret", async () => {
    await one.client.delete(Kinds.Secret, SECRET);
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1"]);
    await one.apply(remoteSecret());
    await sidecar.expectEndpoints(CLUSTER, ["10.244.0.7:5000*1", "172.31.0.3:15443*1"]);
  });

  const deployMore = (name: string, ip: string) => addPod(two, { name, ip, labels: labels("v2", "network2") });
});

describe("who may connect", () => {
  test("a proxy that claims another namespace than its token's is refused, the same one without that claim is not", async () => {
    const liar = await connect({ NAMESPACE: "istio-system" });
    liar.subscribe("CDS", "*");
    const thrown = await liar.ended;
    expect(thrown).toBeInstanceOf(GrpcError);
    expect((thrown as GrpcError).code).toBe("permissionDenied");
    liar.close();
    const honest = await connect();
    honest.subscribe("CDS", "*");
    await until(() => honest.names("CDS").length > 0, { reason: "clusters come", timeoutMs: 60_000 });
    honest.close();
  });

  test("plain text needs no proof", async () => {
    const plain = connectAds({ port: plane.ports.grpc, node: node() });
    plain.subscribe("CDS", "*");
    await until(() => plain.names("CDS").includes(CLUSTER), { reason: "clusters come", timeoutMs: 60_000 });
    plain.close();
  });
});

describe("roots", () => {
  test("another root in the other cluster is told plainly, and no longer when it is the same", async () => {
    const { createCa } = await import("#pki/issue-certificate");
    otherRoot = (await createCa({ commonName: "Another Root" })).certificatePem;
    const at = { namespace: NS, name: "istio-ca-root-cert" };
    await two.client.create<ConfigMap>(Kinds.ConfigMap, { metadata: at, data: { "root-cert.pem": otherRoot } });
    const entry = () =>
      plane.debug<ClusterStatusEntry[]>("clusterz").then((page) => page.find(({ id }) => id === "cluster2"));
    const told = await until(async () => ((await entry())?.sharesRoot === false ? entry() : undefined), {
      reason: "the difference is seen",
      timeoutMs: 60_000,
      intervalMs: 10,
    });
    expect(told).toMatchObject({ syncStatus: "synced", secretName: `${NS}/${SECRET.name}` });
    expect(told?.message).toMatch(/cluster cluster2 has another root .* will fail; give both clusters/);
    const trust = await plane.debug<TrustPage>("trustz");
    expect(trust.clusters[0]).toMatchObject({ cluster: "cluster2", verdict: "differ" });
    const own = await one.client.get<ConfigMap>(Kinds.ConfigMap, at);
    await two.client.patch(Kinds.ConfigMap, at, { data: own.data }, { type: "merge" });
    await until(async () => (await entry())?.sharesRoot === true, {
      reason: "the roots are equal again",
      timeoutMs: 60_000,
      intervalMs: 10,
    });
    expect((await entry())?.message).toBeUndefined();
  });
});
