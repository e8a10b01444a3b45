// "Before you begin" of the guide: both meshes trust one root. Each cluster gets an intermediate of it, in the form that
// Istio's Makefile gives, though with EC P-256 keys: made in a millisecond instead of seconds, and just as good.
import { Kinds } from "#api/kinds";
import { until } from "#base/until";
import { type KubeClient, KubeError } from "#kube/kube-client";
import { type CertificateAndKey, createCa } from "#pki/issue-certificate";

export const ISTIO_NAMESPACE = "istio-system";
export const CACERTS_SECRET = "cacerts";

/** The four files of Secret `cacerts`. */
export type CaCerts = Record<"ca-cert.pem" | "ca-key.pem" | "root-cert.pem" | "cert-chain.pem", string>;

export function createCommonRoot(): Promise<CertificateAndKey> {
  return createCa({ commonName: "Root CA", organization: "Istio" });
}

/** An intermediate of `root` for one cluster; cert-chain.pem is the intermediate, then the root. */
export async function createCaCerts(root: CertificateAndKey): Promise<CaCerts> {
  const intermediate = await createCa({
    commonName: "Intermediate CA",
    organization: "Istio",
    issuer: root,
    dnsNames: [`istiod.${ISTIO_NAMESPACE}.svc`],
  });
  return {
    "ca-cert.pem": intermediate.certificatePem,
    "ca-key.pem": intermediate.privateKeyPem,
    "root-cert.pem": root.certificatePem,
    "cert-chain.pem": intermediate.certificatePem + root.certificatePem,
  };
}

/** On a machine with more to do than it can, a handshake may take longer than a client waits. */
const ANSWER_TIMEOUT_MS = 90_000;

/**
 * Creates namespace and Secret; both may exist already. Asks again when no answer came: the API server has said that it is
 * ready. Throws KubeError when it refuses, MeshError TIMEOUT when it does not answer.
 */
export async function putCaCerts(client: KubeClient, caCerts: CaCerts): Promise<void> {
  const put = () =>
    createCaCertsSecret(client, caCerts).then(
      () => true,
      (thrown) => {
        if (thrown instanceof KubeError && thrown.status === 0) return false;
        throw thrown;
      },
    );
  const reason = `the API server ${client.server} has taken the Secret ${CACERTS_SECRET}`;
  await until(put, { reason, timeoutMs: ANSWER_TIMEOUT_MS });
}

async function createCaCertsSecret(client: KubeClient, caCerts: CaCerts): Promise<void> {
  await ignoreExisting(
    client.create(Kinds.Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: ISTIO_NAMESPACE } }),
  );
  const data = Object.fromEntries(
    Object.entries(caCerts).map(([name, pem]) => [name, Buffer.from(pem).toString("base64")]),
  );
  const metadata = { name: CACERTS_SECRET, namespace: ISTIO_NAMESPACE };
  const secret = { apiVersion: "v1", kind: "Secret", metadata, type: "Opaque", data };
  await ignoreExisting(client.create(Kinds.Secret, secret));
}

async function ignoreExisting(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (thrown) {
    if (!(thrown instanceof KubeError) || thrown.status !== 409) throw thrown;
  }
}
