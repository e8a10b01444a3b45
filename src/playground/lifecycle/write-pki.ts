// Keys and certificates of one cluster, as a real one has them: a server CA, a client CA, an identity for each part.
import { generateKeyPair } from "node:crypto";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type CertificateAndKey, type CertificateSubject, createCa, issueCertificate } from "#pki/issue-certificate";
import type { ClusterLayout } from "../network/layout.ts";

/** A playground is for days, not for years. */
const VALID_SECONDS = 365 * 86_400;
const CLUSTER_DOMAIN = "cluster.local";

/** Paths of the files, and in PEM what kubeconfigs carry inside. */
export interface ClusterPki {
  readonly caPem: string;
  readonly admin: CertificateAndKey;
  readonly controllerManager: CertificateAndKey;
  readonly node: CertificateAndKey;
  readonly scheduler: CertificateAndKey;
  readonly kubeProxy: CertificateAndKey;
  readonly files: Readonly<Record<PkiFile, string>>;
}

export type PkiFile =
  | "ca.crt"
  | "ca.key"
  | "client-ca.crt"
  | "client-ca.key"
  | "front-proxy-ca.crt"
  | "front-proxy-client.crt"
  | "front-proxy-client.key"
  | "server.crt"
  | "server.key"
  | "kubelet-client.crt"
  | "kubelet-client.key"
  | "kubelet.crt"
  | "kubelet.key"
  | "service-account.key";

/** Makes everything at once and writes it below `dir`: keys with mode 0600, the folder with 0700. */
export async function writePki(cluster: ClusterLayout, dir: string): Promise<ClusterPki> {
  const ca = (name: string) => createCa({ commonName: `${cluster.name}-${name}`, organization: "isthmus playground" });
  const [serverCa, clientCa, frontProxyCa, serviceAccountKey] = await Promise.all([
    ca("ca"),
    ca("client-ca"),
    ca("front-proxy-ca"),
    makeServiceAccountKey(),
    mkdir(dir, { recursive: true, mode: 0o700 }),
  ]);
  const [identities, server, kubelet, frontProxy] = await Promise.all([
    issueIdentities(clientCa, cluster),
    issue(serverCa, serverSubject(cluster)),
    issue(serverCa, kubeletSubject(cluster)),
    issue(frontProxyCa, { commonName: "front-proxy-client", usages: ["client"] }),
  ]);
  const { kubeletClient, ...users } = identities;
  const contents: Record<PkiFile, string> = {
    "ca.crt": serverCa.certificatePem,
    "ca.key": serverCa.privateKeyPem,
    "client-ca.crt": clientCa.certificatePem,
    "client-ca.key": clientCa.privateKeyPem,
    "front-proxy-ca.crt": frontProxyCa.certificatePem,
    "front-proxy-client.crt": frontProxy.certificatePem,
    "front-proxy-client.key": frontProxy.privateKeyPem,
    "server.crt": server.certificatePem,
    "server.key": server.privateKeyPem,
    "kubelet-client.crt": kubeletClient.certificatePem,
    "kubelet-client.key": kubeletClient.privateKeyPem,
    "kubelet.crt": kubelet.certificatePem,
    "kubelet.key": kubelet.privateKeyPem,
    "service-account.key": serviceAccountKey,
  };
  const files = await writeFiles(dir, contents);
  return { caPem: serverCa.certificatePem, ...users, files };
}

/** Who takes part in a cluster: user names and groups are Kubernetes' own. */
async function issueIdentities(clientCa: CertificateAndKey, { nodeName }: ClusterLayout) {
  const client = (commonName: string, ...organizations: string[]) =>
    issue(clientCa, { commonName, organizations, usages: ["client"] });
  const [admin, controllerManager, scheduler, node, kubeProxy, kubeletClient] = await Promise.all([
    client("kubernetes-admin", "system:masters"),
    client("system:kube-controller-manager", "system:masters"),
    client("system:kube-scheduler"),
    client(`system:node:${nodeName}`, "system:nodes"),
    client("system:kube-proxy"),
    client("kube-apiserver-kubelet-client", "system:masters"),
  ]);
  return { admin, controllerManager, scheduler, node, kubeProxy, kubeletClient };
}

function issue(issuer: CertificateAndKey, subject: Omit<CertificateSubject, "validSeconds">) {
  return issueCertificate(issuer, { ...subject, validSeconds: VALID_SECONDS });
}

function serverSubject(cluster: ClusterLayout): Omit<CertificateSubject, "validSeconds"> {
  const service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"];
  return {
    commonName: "kube-apiserver",
    dnsNames: [...service, `kubernetes.default.svc.${CLUSTER_DOMAIN}`, "localhost"],
    ipAddresses: [cluster.address, cluster.kubernetesServiceAddress, "127.0.0.1"],
    usages: ["server"],
  };
}

function kubeletSubject(cluster: ClusterLayout): Omit<CertificateSubject, "validSeconds"> {
  return {
    commonName: `system:node:${cluster.nodeName}`,
    organizations: ["system:nodes"],
    dnsNames: [cluster.nodeName],
    ipAddresses: [cluster.address, ...(cluster.ipv6 ? [cluster.ipv6.address] : []), "127.0.0.1"],
    usages: ["server"],
  };
}

async function makeServiceAccountKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

async function writeFiles(dir: string, contents: Record<PkiFile, string>): Promise<Record<PkiFile, string>> {
  await chmod(dir, 0o700);
  const files = { ...contents };
  await Promise.all(
    (Object.keys(contents) as PkiFile[]).map(async (name) => {
      files[name] = join(dir, name);
      await writeFile(files[name], contents[name], { mode: name.endsWith(".key") ? 0o600 : 0o644 });
    }),
  );
  return files;
}
