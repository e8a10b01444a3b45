// Where the CA comes from: files that an operator plugged in, or a Secret that the control plane made itself.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NAMES } from "#api/constants/names";
import { Kinds } from "#api/kinds";
import type { Secret } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { MeshError } from "#base/mesh-error";
import { isNotFound, type KubeClient, KubeError } from "#kube/kube-client";
import type { CaMaterial } from "#pki/certificate-authority";

/** File names by part: Istio's own, then those of a kubernetes.io/tls Secret. */
const LAYOUTS = [
  { certificate: "ca-cert.pem", key: "ca-key.pem", roots: "root-cert.pem", chain: "cert-chain.pem" },
  { certificate: "tls.crt", key: "tls.key", roots: "ca.crt", chain: "tls.crt" },
] as const;

/**
 * The material in a mounted Secret `cacerts`, or undefined when the folder holds none.
 * Throws MeshError CA_INCOMPLETE when only some of its files are there.
 */
export function loadPlugInCa(folder: string): CaMaterial | undefined {
  for (const layout of LAYOUTS) {
    const read = (name: string) =>
      existsSync(join(folder, name)) ? readFileSync(join(folder, name), "utf8") : undefined;
    const certificate = read(layout.certificate);
    const key = read(layout.key);
    const roots = read(layout.roots);
    if (certificate === undefined && key === undefined) continue;
    if (certificate === undefined || key === undefined || roots === undefined) {
      throw new MeshError(
        "CA_INCOMPLETE",
        `${folder} must hold ${layout.certificate}, ${layout.key} and ${layout.roots}`,
        {
          hint: "make the Secret cacerts with all four files: ca-cert.pem, ca-key.pem, root-cert.pem, cert-chain.pem",
        },
      );
    }
    return { certificatePem: certificate, privateKeyPem: key, rootsPem: roots, chainPem: read(layout.chain) ?? "" };
  }
  return undefined;
}

export interface SelfSignedOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly trustDomain: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const RETRY_MS = 500;

/**
 * The CA of Secret istio-ca-secret, made when absent; of several replicas the first to create it wins. Tries again
 * while the API server fails or refuses (an installation may still be under way), until the signal aborts.
 */
export async function loadOrCreateSelfSignedCa(options: SelfSignedOptions): Promise<CaMaterial> {
  for (;;) {
    try {
      return await loadOrCreate(options);
    } catch (thrown) {
      if (!(thrown instanceof KubeError)) throw thrown;
      options.logger.warn({ error: thrown.message }, "the CA cannot be read yet, will retry");
      await options.clock.sleep(RETRY_MS, options.signal);
    }
  }
}

async function loadOrCreate(options: SelfSignedOptions): Promise<CaMaterial> {
  const { client, namespace, logger } = options;
  const at = { namespace, name: NAMES.selfSignedCaSecret };
  const existing = await client.get<Secret>(Kinds.Secret, at).catch((thrown: unknown) => {
    if (isNotFound(thrown)) return undefined;
    throw thrown;
  });
  if (existing !== undefined) return materialOf(existing, namespace);
  const { createCa } = await import("#pki/issue-certificate");
  const made = await createCa({
    commonName: "Root CA",
    organization: options.trustDomain,
    keyType: "rsa",
    validDays: 3650,
  });
  const secret: Secret = {
    metadata: at,
    type: "istio.io/ca-root",
    data: { "ca-cert.pem": base64(made.certificatePem), "ca-key.pem": base64(made.privateKeyPem) },
  };
  try {
    await client.create<Secret>(Kinds.Secret, secret);
    logger.info({ secret: `${namespace}/${at.name}` }, "made a self-signed CA");
    return selfSigned(made.certificatePem, made.privateKeyPem);
  } catch (thrown) {
    if (!(thrown instanceof KubeError) || thrown.status !== 409) throw thrown;
    return materialOf(await client.get<Secret>(Kinds.Secret, at), namespace);
  }
}

function materialOf(secret: Secret, namespace: string): CaMaterial {
  const certificate = secret.data?.["ca-cert.pem"];
  const key = secret.data?.["ca-key.pem"];
  if (certificate === undefined || key === undefined) {
    throw new MeshError(
      "CA_INCOMPLETE",
      `Secret ${namespace}/${NAMES.selfSignedCaSecret} lacks ca-cert.pem or ca-key.pem`,
      {
        hint: "delete it and restart the control plane: a new self-signed CA is made, and workloads get new certificates",
      },
    );
  }
  return selfSigned(fromBase64(certificate), fromBase64(key));
}

function selfSigned(certificatePem: string, privateKeyPem: string): CaMaterial {
  return { certificatePem, privateKeyPem, rootsPem: certificatePem, chainPem: "" };
}

function base64(value: string): string {
  return Buffer.from(value).toString("base64");
}

function fromBase64(value: string): string {
  return Buffer.from(value, "base64").toString("utf8");
}
