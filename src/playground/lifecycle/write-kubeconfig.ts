import { rename, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import type { CertificateAndKey } from "#pki/issue-certificate";

/** One context: its name is the cluster's. */
export interface KubeconfigEntry {
  readonly cluster: string;
  readonly server: string;
  readonly caPem: string;
  readonly user: string;
  readonly identity: CertificateAndKey;
}

/** Text of a kubeconfig with everything inside; the first entry is the current context. */
export function renderKubeconfig(entries: readonly KubeconfigEntry[]): string {
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": entries[0]?.cluster ?? "",
    clusters: entries.map((entry) => ({
      name: entry.cluster,
      cluster: { server: entry.server, "certificate-authority-data": base64(entry.caPem) },
    })),
    contexts: entries.map((entry) => ({
      name: entry.cluster,
      context: { cluster: entry.cluster, user: entry.user },
    })),
    users: entries.map((entry) => ({
      name: entry.user,
      user: {
        "client-certificate-data": base64(entry.identity.certificatePem),
        "client-key-data": base64(entry.identity.privateKeyPem),
      },
    })),
    preferences: {},
  });
}

/** Writes with mode 0600, and whole or not at all. */
export async function writeKubeconfig(file: string, entries: readonly KubeconfigEntry[]): Promise<void> {
  await writeFile(`${file}.new`, renderKubeconfig(entries), { mode: 0o600 });
  await rename(`${file}.new`, file);
}
