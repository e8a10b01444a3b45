// CreateCertificate over TLS, as an agent asks for it, against a real API server that reviews the tokens.
import { X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Kinds } from "#api/kinds";
import type { ConfigMap } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { CREATE_CERTIFICATE_METHOD, decodeCertificateResponse, encodeCertificateRequest } from "#envoy/istio-ca";
import { createGrpcChannel } from "#grpc/channel";
import { GrpcError } from "#grpc/grpc-error";
import { createCsr } from "#pki/csr";
import { type CertificateAndKey, createCa } from "#pki/issue-certificate";
import { generateKeyPair } from "#pki/keys";
import { createCaCerts } from "#playground/lifecycle/common-root";
import { startTestCluster, type TestCluster } from "../../kit/test-cluster.ts";
import { startTestControlPlane, type TestControlPlane } from "../../kit/test-control-plane.ts";

// A busy machine is no failure.
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

const SERVER_NAME = "istiod.istio-system.svc";
let cluster: TestCluster;
let plane: TestControlPlane;
let root: CertificateAndKey;
let csr: string;
let key: string;

beforeAll(async () => {
  cluster = await startTestCluster("cluster1");
  root = await createCa({ commonName: "Root CA", organization: "Istio" });
  plane = await startTestControlPlane(cluster, { caCerts: await createCaCerts(root) });
  key = (await generateKeyPair()).privateKeyPem;
  csr = await createCsr({ privateKeyPem: key, uris: ["spiffe://cluster.local/ns/other/sa/liar"] });
  await cluster.client.create(Kinds.Namespace, { metadata: { name: "sample" } });
});

afterAll(async () => {
  await plane?.stop();
  await cluster?.stop();
});

interface Ask {
  readonly token?: string;
  readonly clusterId?: string;
  readonly validity?: number;
  readonly csr?: string;
  readonly client?: { readonly cert: string; readonly key: string };
}

async function ask(options: Ask): Promise<readonly string[]> {
  const channel = createGrpcChannel({
    target: `127.0.0.1:${plane.ports["secure-grpc"]}`,
    tls: () => ({ ca: root.certificatePem, servername: SERVER_NAME, ...options.client }),
    metadata: () => ({
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...(options.clusterId === undefined ? {} : { clusterid: options.clusterId }),
    }),
  });
  const request = encodeCertificateRequest({
    csr: options.csr ?? csr,
    validitySeconds: options.validity ?? 3600,
    metadata: {},
  });
  try {
    return decodeCertificateResponse(await channel.unary(CREATE_CERTIFICATE_METHOD, request, { timeoutMs: 60_000 }));
  } finally {
    channel.close();
  }
}

async function refused(options: Ask): Promise<GrpcError> {
  const thrown: unknown = await ask(options).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(GrpcError);
  return thrown as GrpcError;
}

describe("CreateCertificate", () => {
  test("gives leaf, intermediate, root and root bundle for the token's identity, whatever the request says", async () => {
    const token = await cluster.token("sample", "sleep", "istio-ca");
    const chain = await ask({ token, clusterId: "cluster1" });
    expect(chain).toHaveLength(4);
    const [leaf, intermediate, chainRoot, bundle] = chain.map((pem) => new X509Certificate(pem));
    if (leaf === undefined || intermediate === undefined || chainRoot === undefined) throw new Error("unreachable");
    expect(leaf.subjectAltName).toBe("URI:spiffe://cluster.local/ns/sample/sa/sleep");
    expect(leaf.verify(intermediate.publicKey)).toBe(true);
    expect(intermediate.verify(chainRoot.publicKey)).toBe(true);
    expect(bundle?.fingerprint256).toBe(new X509Certificate(root.certificatePem).fingerprint256);
    const life = Date.parse(leaf.validTo) - Date.now();
    expect(life).toBeGreaterThan(3_500_000);
    expect(life).toBeLessThan(3_700_000);
  });

  test("takes the certificate it gave as a proof of identity", async () => {
    const token = await cluster.token("sample", "sleep", "istio-ca");
    const first = await ask({ token });
    const again = await ask({ client: { cert: first.slice(0, 2).join(""), key } });
    expect(new X509Certificate(again[0] ?? "").subjectAltName).toBe("URI:spiffe://cluster.local/ns/sample/sa/sleep");
  });

  test("a day is the life of a request that names none", async () => {
    const [leaf = ""] = await ask({ token: await cluster.token("sample", "sleep", "istio-ca"), validity: 0 });
    const hours = (Date.parse(new X509Certificate(leaf).validTo) - Date.now()) / 3_600_000;
    expect(hours).toBeCloseTo(24, 1);
  });

  test("refuses what proves nothing, each differing in one thing", async () => {
    const token = await cluster.token("sample", "sleep", "istio-ca");
    expect((await refused({})).code).toBe("unauthenticated");
    expect((await refused({ token: `${token}x` })).code).toBe("unauthenticated");
    const elsewhere = await cluster.token("sample", "sleep", "somebody-else");
    expect((await refused({ token: elsewhere })).code).toBe("unauthenticated");
    const unknown = await refused({ token, clusterId: "cluster9" });
    expect([unknown.code, unknown.message]).toEqual([
      "unauthenticated",
      expect.stringMatching(/cluster9.*not a cluster of this mesh/),
    ]);
    const long = await refused({ token, validity: 91 * 86_400 });
    expect([long.code, long.message]).toEqual(["invalidArgument", expect.stringMatching(/MAX_WORKLOAD_CERT_TTL/)]);
    expect((await refused({ token, csr: "no csr" })).code).toBe("invalidArgument");
  });

  test("comes over TLS with an elliptic curve key", async () => {
    const type = await new Promise<string | undefined>((resolve, reject) => {
      const options = { ca: root.certificatePem, servername: SERVER_NAME, ALPNProtocols: ["h2"] };
      const socket = connect(plane.ports["secure-grpc"], "127.0.0.1", options, () => {
        resolve(socket.getPeerX509Certificate()?.publicKey.asymmetricKeyDetails?.namedCurve);
        socket.destroy();
      });
      socket.once("error", reject);
    });
    expect(type).toBe("prime256v1");
  });

  test("is counted", async () => {
    const { text } = await plane.get("/metrics");
    expect(text).toMatch(/^citadel_server_success_cert_issuance_count [1-9]/m);
    expect(text).toMatch(/^citadel_server_authentication_failure_count [1-9]/m);
  });
});

describe("roots", () => {
  const look = (namespace: string) =>
    cluster.client
      .get<ConfigMap>(Kinds.ConfigMap, { namespace, name: "istio-ca-root-cert" })
      .then((map) => map.data?.["root-cert.pem"] === root.certificatePem)
      .catch(() => false);
  const wait = (reason: string, namespace: string) =>
    until(() => look(namespace), { reason, timeoutMs: 60_000, intervalMs: 10 });

  test("lie in every namespace, new ones included, and come back after edit and deletion", async () => {
    await wait("the root is in namespace sample", "sample");
    await cluster.client.create(Kinds.Namespace, { metadata: { name: "later" } });
    await wait("the root is in namespace later", "later");
    const at = { namespace: "later", name: "istio-ca-root-cert" };
    await cluster.client.patch(Kinds.ConfigMap, at, { data: { "root-cert.pem": "mine" } }, { type: "merge" });
    await wait("the edit is undone", "later");
    await cluster.client.delete(Kinds.ConfigMap, at);
    await wait("the deletion is undone", "later");
    expect(await look("kube-public")).toBe(false);
  });

  test("a renewed intermediate signs at once, a CA of another root is refused with a reason", async () => {
    const put = (files: Record<string, string>) => {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(plane.caFolder, name), text);
    };
    const before = (await ask({ token: await cluster.token("sample", "sleep", "istio-ca") }))[1];
    const renewed = await createCaCerts(root);
    put(renewed);
    const token = await cluster.token("sample", "sleep", "istio-ca");
    await until(async () => (await ask({ token }))[1] === renewed["ca-cert.pem"], {
      reason: "the renewed intermediate signs",
      timeoutMs: 60_000,
    });
    expect(before).not.toBe(renewed["ca-cert.pem"]);
    put(await createCaCerts(await createCa({ commonName: "Another Root", organization: "Other" })));
    const problem = await until(async () => (await plane.debug<{ own: { problem?: string } }>("trustz")).own.problem, {
      reason: "the other root is refused",
      timeoutMs: 60_000,
    });
    expect(problem).toMatch(/other roots/);
    expect((await ask({ token }))[1]).toBe(renewed["ca-cert.pem"]);
  });
});
