// The two servers of a run: the real one, and the playground's own in this process, with the same CA and the same users.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../../src/base/logger.ts";
import { type CertificateAndKey, issueCertificate } from "../../../src/pki/issue-certificate.ts";
import { generateKeyPair } from "../../../src/pki/keys.ts";
import { runApiServer } from "../../../src/playground/api-server/api-server.ts";
import type { ClusterProcessConfig } from "../../../src/playground/process-config.ts";
import { type RealApiServer, startRealApiServer } from "../../kit/real-api-server.ts";
import type { WebhookAddress } from "./fill-in.ts";
import { createTarget, type Target } from "./target.ts";
import { type RunningWebhook, startWebhook } from "./webhook.ts";

export interface ServerPair {
  readonly real: Target;
  readonly embedded: Target;
  readonly webhook: WebhookAddress;
  readonly realServer: RealApiServer;
  stop(): Promise<void>;
}

/** Users by name with their groups; `admin` may everything, `anonymous` has no certificate. */
export const USERS: Readonly<Record<string, readonly string[]>> = {
  admin: ["system:masters"],
  alice: ["dev"],
  bob: ["ops", "dev"],
  carol: [],
};

/** `twoReal`: the second server is a real one too, which shows what the normaliser forgets. */
export async function startServers({ twoReal = false } = {}): Promise<ServerPair> {
  const realServer = await startRealApiServer({ name: "differential" });
  const identities = await identitiesOf(realServer);
  const webhook = await startWebhook();
  const caPem = realServer.ca.certificatePem;
  const real = await createTarget({ name: "real", url: realServer.url, caPem, identities });
  if (twoReal) {
    const other = await startRealApiServer({ name: "differential2" });
    const embedded = await createTarget({
      name: "real2",
      url: other.url,
      caPem: other.ca.certificatePem,
      identities: await identitiesOf(other),
    });
    return pairOf({ real, embedded, realServer, webhook }, () => other.stop());
  }
  const own = await startEmbedded(realServer);
  const embedded = await createTarget({ name: "embedded", url: own.url, caPem, identities });
  return pairOf({ real, embedded, realServer, webhook }, own.stop);
}

function pairOf(
  pair: Omit<ServerPair, "stop"> & { webhook: RunningWebhook },
  stopOther: () => Promise<void>,
): ServerPair {
  return {
    ...pair,
    async stop() {
      pair.webhook.close();
      pair.real.close();
      pair.embedded.close();
      await Promise.all([pair.realServer.stop(), stopOther()]);
    },
  };
}

async function identitiesOf(server: RealApiServer): Promise<Map<string, CertificateAndKey>> {
  const made = Object.entries(USERS).map(
    async ([user, groups]) => [user, await server.identity(user, ...groups)] as const,
  );
  return new Map(await Promise.all(made));
}

async function startEmbedded(real: RealApiServer): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), "isthmus-differential-"));
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const server = await issueCertificate(real.ca, {
    commonName: "kube-apiserver",
    dnsNames: ["localhost"],
    ipAddresses: ["127.0.0.1"],
    usages: ["server"],
    validSeconds: 86_400,
  });
  const kubelet = await real.identity("kube-apiserver-kubelet-client", "system:masters");
  const caCert = write("ca.crt", real.ca.certificatePem);
  const config: ClusterProcessConfig = {
    clusterName: "differential",
    listen: { address: "127.0.0.1", port: 0 },
    podCIDR: "10.244.0.0/16",
    serviceCIDR: "10.96.0.0/16",
    loadBalancerRange: { first: "172.31.0.1", last: "172.31.0.9" },
    pki: {
      caCert,
      serverCert: write("server.crt", server.certificatePem),
      serverKey: write("server.key", server.privateKeyPem),
      clientCaCert: caCert,
      kubeletClientCert: write("kubelet.crt", kubelet.certificatePem),
      kubeletClientKey: write("kubelet.key", kubelet.privateKeyPem),
      serviceAccountKey: write("accounts.key", (await generateKeyPair("rsa")).privateKeyPem),
    },
    kubeconfig: "",
    readyFile: "",
    logLevel: "error",
  };
  const stop = new AbortController();
  const running = await runApiServer(config, silentLogger(), stop.signal);
  return {
    url: running.url,
    async stop() {
      stop.abort();
      await running.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
