// The playground's real API server on a free loopback port, with keys of its own and nothing else around it: what tests
// of everything that talks to Kubernetes stand on.

import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kinds, type ResourceType } from "#api/kinds";
import type { KubeObject } from "#api/kubernetes/object";
import { type Logger, silentLogger } from "#base/logger";
import { createKubeClient } from "#kube/create-kube-client";
import type { KubeClient } from "#kube/kube-client";
import { parseKubeConfig } from "#kube/kubeconfig";
import { createCa, issueCertificate } from "#pki/issue-certificate";
import { runApiServer } from "#playground/api-server/api-server";
import type { ClusterProcessConfig } from "#playground/process-config";

export interface TestCluster {
  readonly url: string;
  /** Of a system:masters user, credentials inline. */
  readonly kubeconfig: string;
  readonly client: KubeClient;
  /** What the server runs with: for controllers beside it. */
  readonly config: ClusterProcessConfig;
  /** A token of a service account, made when absent, for the given audience. */
  token(namespace: string, serviceAccount: string, audience: string): Promise<string>;
  /** Creates objects in their order. */
  apply(...objects: (KubeObject & { readonly [field: string]: unknown })[]): Promise<void>;
  /** Ends the server and starts it at the same address with nothing but its first objects: it keeps all in memory. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts in well under a second; several run side by side. */
export async function startTestCluster(name: string, logger: Logger = silentLogger()): Promise<TestCluster> {
  const folder = mkdtempSync(join(tmpdir(), `isthmus-${name}-`));
  const stop = new AbortController();
  const { pki, adminConfig } = await makePki(name, folder);
  const config: ClusterProcessConfig = {
    clusterName: name,
    listen: { address: "127.0.0.1", port: 0 },
    podCIDR: "10.244.0.0/16",
    serviceCIDR: "10.96.0.0/16",
    loadBalancerRange: { first: "172.31.0.1", last: "172.31.0.9" },
    pki,
    kubeconfig: "",
    readyFile: join(folder, "ready"),
    logLevel: "silent" as "error",
  };
  let server = await runApiServer(config, logger, stop.signal);
  const { url } = server;
  const kubeconfig = adminConfig(url);
  const client = createKubeClient(parseKubeConfig(kubeconfig));
  const apply: TestCluster["apply"] = async (...objects) => {
    for (const object of objects) await client.create(await typeOf(client, object), object);
  };
  return {
    url,
    kubeconfig,
    client,
    config,
    apply,
    async token(namespace, serviceAccount, audience) {
      const account = { metadata: { namespace, name: serviceAccount } };
      await client.create(Kinds.ServiceAccount, account).catch(() => {});
      const at = { namespace, name: serviceAccount, subresource: "token" };
      const spec = { audiences: [audience], expirationSeconds: 3600 };
      const body = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec };
      const answer = await client.createSubresource<{ status: { token: string } }>(Kinds.ServiceAccount, at, body);
      return answer.status.token;
    },
    async restart() {
      await server.close();
      const listen = { address: "127.0.0.1", port: Number(new URL(url).port) };
      server = await runApiServer({ ...config, listen }, logger, stop.signal);
      await client.request("GET", "/readyz"); // a write would fail on the connection that just ended, a read does not
    },
    async stop() {
      await client.close();
      stop.abort();
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function typeOf(client: KubeClient, object: KubeObject): Promise<ResourceType> | ResourceType {
  const known = Object.values(Kinds).find((type) => type.kind === object.kind && type.group === groupOf(object));
  return known ?? client.resourceType(object.apiVersion ?? "v1", object.kind ?? "");
}

function groupOf({ apiVersion = "v1" }: KubeObject): string {
  return apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
}

/** Keys and certificates of an API server at 127.0.0.1 below `folder`, and a system:masters kubeconfig for its URL. */
export async function makePki(name: string, folder: string) {
  const ca = await createCa({ commonName: `${name}-ca` });
  const server = await issueCertificate(ca, {
    commonName: "kube-apiserver",
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
    usages: ["server"],
    validSeconds: 86_400,
  });
  const admin = await issueCertificate(ca, {
    commonName: "admin",
    organizations: ["system:masters"],
    usages: ["client"],
    validSeconds: 86_400,
  });
  const accountKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  const files: Record<string, string> = {
    "ca.pem": ca.certificatePem,
    "server.pem": server.certificatePem,
    "server.key": server.privateKeyPem,
    "admin.pem": admin.certificatePem,
    "admin.key": admin.privateKeyPem,
    "accounts.key": accountKey.toString(),
  };
  await Promise.all(Object.entries(files).map(([file, text]) => writeFile(join(folder, file), text, { mode: 0o600 })));
  const at = (file: string) => join(folder, file);
  const pki: ClusterProcessConfig["pki"] = {
    caCert: at("ca.pem"),
    serverCert: at("server.pem"),
    serverKey: at("server.key"),
    clientCaCert: at("ca.pem"),
    kubeletClientCert: at("admin.pem"),
    kubeletClientKey: at("admin.key"),
    serviceAccountKey: at("accounts.key"),
  };
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const adminConfig = (url: string) =>
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": name,
      contexts: [{ name, context: { cluster: name, user: name } }],
      clusters: [{ name, cluster: { server: url, "certificate-authority-data": base64(ca.certificatePem) } }],
      users: [
        {
          name,
          user: {
            "client-certificate-data": base64(admin.certificatePem),
            "client-key-data": base64(admin.privateKeyPem),
          },
        },
      ],
    });
  return { pki, adminConfig };
}
