// Tokens of another cluster, and a CA that the control plane makes itself: two replicas of one cluster, and a second
// cluster that a remote secret names.
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { ClusterStatusEntry, TrustPage } from "#api/debug/debug-pages";
import { Kinds } from "#api/kinds";
import type { ConfigMap, Secret } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { CREATE_CERTIFICATE_METHOD, decodeCertificateResponse, encodeCertificateRequest } from "#envoy/istio-ca";
import { createGrpcChannel } from "#grpc/channel";
import { GrpcError } from "#grpc/grpc-error";
import { createCsr } from "#pki/csr";
import { generateKeyPair } from "#pki/keys";
import { startTestCluster, type TestCluster } from "../../kit/test-cluster.ts";
import { startTestControlPlane, type TestControlPlane } from "../../kit/test-control-plane.ts";

// A busy machine is no failure.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const NS = "istio-system";
let one: TestCluster;
let two: TestCluster;
let replicas: readonly TestControlPlane[];
let root: string;
let csr: string;

beforeAll(async () => {
  [one, two] = await Promise.all([startTestCluster("cluster1"), startTestCluster("cluster2")]);
  for (const cluster of [one, two]) {
    for (const name of [NS, "sample"]) await cluster.client.create(Kinds.Namespace, { metadata: { name } });
  }
  replicas = await Promise.all([startTestControlPlane(one), startTestControlPlane(one)]);
  for (const replica of replicas) await replica.ready();
  const secret = await one.client.get<Secret>(Kinds.Secret, { namespace: NS, name: "istio-ca-secret" });
  root = Buffer.from(secret.data?.["ca-cert.pem"] ?? "", "base64").toString();
  csr = await createCsr({ privateKeyPem: (await generateKeyPair()).privateKeyPem, uris: [] });
});

afterAll(async () => {
  await Promise.all((replicas ?? []).map((replica) => replica.stop()));
  await Promise.all([one?.stop(), two?.stop()]);
});

async function ask(
  replica: TestControlPlane | undefined,
  token: string,
  clusterid: string,
): Promise<readonly string[]> {
  const channel = createGrpcChannel({
    target: `127.0.0.1:${replica?.ports["secure-grpc"]}`,
    tls: () => ({ ca: root, servername: "istiod.istio-system.svc" }),
    metadata: () => ({ authorization: `Bearer ${token}`, clusterid }),
  });
  const request = encodeCertificateRequest({ csr, validitySeconds: 3600, metadata: {} });
  try {
    return decodeCertificateResponse(await channel.unary(CREATE_CERTIFICATE_METHOD, request, { timeoutMs: 60_000 }));
  } finally {
    channel.close();
  }
}

async function refusal(token: string, clusterid: string): Promise<string> {
  const thrown: unknown = await ask(replicas[0], token, clusterid).catch((error: unknown) => error);
  return thrown instanceof GrpcError ? thrown.code : "none";
}

describe("a self-signed CA", () => {
  test("is one for two replicas that start at the same moment, and both sign under it", async () => {
    const token = await one.token("sample", "sleep", "istio-ca");
    const ca = new X509Certificate(root);
    expect(ca.ca).toBe(true);
    expect(ca.verify(ca.publicKey)).toBe(true);
    for (const replica of replicas) {
      const [leaf = "", bundle] = await ask(replica, token, "cluster1");
      expect(bundle).toBe(root);
      const certificate = new X509Certificate(leaf);
      expect(certificate.verify(ca.publicKey)).toBe(true);
      expect(certificate.checkIssued(ca)).toBe(true);
      expect(certificate.subjectAltName).toBe("URI:spiffe://cluster.local/ns/sample/sa/sleep");
      const trust = await replica.debug<TrustPage>("trustz");
      expect(trust.own.source).toBe("self-signed");
    }
  });

  test("is what every namespace is told to trust", async () => {
    const at = { namespace: "sample", name: "istio-ca-root-cert" };
    const read = () => one.client.get<ConfigMap>(Kinds.ConfigMap, at).catch(() => undefined);
    const map = await until(read, { reason: "the root is published", timeoutMs: 60_000, intervalMs: 10 });
    expect(map.data?.["root-cert.pem"]).toBe(root);
  });

  test("keeps its key out of every page and log line", async () => {
    const plane = replicas[0];
    const pages = Object.keys((await plane?.debug<Record<string, string>>("list")) ?? {});
    expect(pages.length).toBeGreaterThan(10);
    for (const page of pages) expect((await plane?.get(page))?.text).not.toMatch(/PRIVATE KEY/);
  });
});

describe("a token of another cluster", () => {
  const name = "istio-remote-secret-cluster2";
  let foreign: string;

  beforeAll(async () => {
    foreign = await two.token("sample", "sleep", "istio-ca");
  });

  test("is refused as long as no remote secret names that cluster", async () => {
    expect(await refusal(foreign, "cluster2")).toBe("unauthenticated");
  });

  test("is reviewed by that cluster's API server, and by no other", async () => {
    await one.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: NS, name, labels: { "istio/multiCluster": "true" } },
      data: { cluster2: Buffer.from(two.kubeconfig).toString("base64") },
    });
    const isSynced = async () =>
      (await replicas[0]?.debug<ClusterStatusEntry[]>("clusterz"))?.some(
        ({ id, syncStatus }) => id === "cluster2" && syncStatus === "synced",
      );
    await until(isSynced, { reason: "cluster2 is read", timeoutMs: 30_000, intervalMs: 20 });
    const [leaf = ""] = await ask(replicas[0], foreign, "cluster2");
    expect(new X509Certificate(leaf).subjectAltName).toBe("URI:spiffe://cluster.local/ns/sample/sa/sleep");
    expect(await refusal(foreign, "cluster1")).toBe("unauthenticated");
    expect(await refusal(await one.token("sample", "sleep", "istio-ca"), "cluster2")).toBe("unauthenticated");
    expect(await refusal(await two.token("sample", "sleep", "somebody-else"), "cluster2")).toBe("unauthenticated");
  });

  test("shows on no page, and neither does the kubeconfig", async () => {
    const kubeconfig = JSON.parse(two.kubeconfig) as { users: { user: Record<string, string> }[] };
    const key = kubeconfig.users[0]?.user["client-key-data"] ?? "none";
    const pages = Object.keys((await replicas[0]?.debug<Record<string, string>>("list")) ?? {});
    for (const page of pages) expect((await replicas[0]?.get(page))?.text).not.toContain(key.slice(0, 60));
  });

  test("is refused again when the secret has gone", async () => {
    await one.client.delete(Kinds.Secret, { namespace: NS, name });
    const refused = async () => (await refusal(foreign, "cluster2")) === "unauthenticated";
    await until(refused, { reason: "the token is refused", timeoutMs: 60_000, intervalMs: 20 });
  });
});

describe("an API server that cannot be asked", () => {
  test("makes a caller come back instead of sending it away", async () => {
    const token = await one.token("sample", "sleep", "istio-ca");
    await two.stop();
    await one.apply({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace: NS, name: "gone", labels: { "istio/multiCluster": "true" } },
      data: { cluster2: Buffer.from(two.kubeconfig).toString("base64") },
    });
    const unavailable = async () => (await refusal(token, "cluster2")) === "unavailable";
    await until(unavailable, { reason: "the answer is to try again", timeoutMs: 30_000, intervalMs: 50 });
  });
});
