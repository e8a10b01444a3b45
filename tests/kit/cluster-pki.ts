// The certificates and the process configuration of one API server, in a folder of its own.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CertificateAndKey, createCa, issueCertificate } from "../../src/pki/issue-certificate.ts";
import { generateKeyPair } from "../../src/pki/keys.ts";
import type { ClusterProcessConfig } from "../../src/playground/process-config.ts";

export interface ClusterPki {
  readonly config: ClusterProcessConfig;
  readonly serverCa: CertificateAndKey;
  readonly clientCa: CertificateAndKey;
  readonly server: CertificateAndKey;
  client(commonName: string, ...organizations: string[]): Promise<CertificateAndKey>;
  serverFor(...dnsNames: string[]): Promise<CertificateAndKey>;
  remove(): void;
}

export async function clusterPki(): Promise<ClusterPki> {
  const dir = mkdtempSync(join(tmpdir(), "isthmus-pki-"));
  const [serverCa, clientCa, serviceAccount] = await Promise.all([
    createCa({ commonName: "test-ca" }),
    createCa({ commonName: "test-client-ca" }),
    generateKeyPair("rsa"),
  ]);
  const serverFor = (...dnsNames: string[]) =>
    issueCertificate(serverCa, { dnsNames, ipAddresses: ["127.0.0.1"], usages: ["server"], validSeconds: 3600 });
  const client = (commonName: string, ...organizations: string[]) =>
    issueCertificate(clientCa, { commonName, organizations, usages: ["client"], validSeconds: 3600 });
  const server = await serverFor("localhost");
  const kubeletClient = await client("kube-apiserver-kubelet-client", "system:masters");
  const write = (name: string, content: string) => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  const config: ClusterProcessConfig = {
    clusterName: "cluster1",
    listen: { address: "127.0.0.1", port: 6443 },
    podCIDR: "10.244.0.0/16",
    serviceCIDR: "10.96.0.0/16",
    loadBalancerRange: { first: "172.30.0.100", last: "172.30.0.110" },
    pki: {
      caCert: write("ca.crt", serverCa.certificatePem),
      serverCert: write("server.crt", server.certificatePem),
      serverKey: write("server.key", server.privateKeyPem),
      clientCaCert: write("client-ca.crt", clientCa.certificatePem),
      kubeletClientCert: write("kubelet-client.crt", kubeletClient.certificatePem),
      kubeletClientKey: write("kubelet-client.key", kubeletClient.privateKeyPem),
      serviceAccountKey: write("service-account.key", serviceAccount.privateKeyPem),
    },
    kubeconfig: join(dir, "kubeconfig"),
    readyFile: join(dir, "ready"),
    logLevel: "error",
  };
  return {
    config,
    serverCa,
    clientCa,
    server,
    client,
    serverFor,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}
