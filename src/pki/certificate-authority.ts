import { createPrivateKey, X509Certificate } from "node:crypto";
import { MeshError } from "#base/mesh-error";
import { publicKeyOfCsr } from "./csr.ts";
import { certifyPublicKey } from "./issue-certificate.ts";
import { fingerprint, joinBundle, splitPem, whyNotTrusted } from "./trust-bundle.ts";

/** What a CA is made of, as in the four files of Istio's `cacerts` Secret. */
export interface CaMaterial {
  /** ca-cert.pem: the certificate that signs. */
  readonly certificatePem: string;
  /** ca-key.pem */
  readonly privateKeyPem: string;
  /** cert-chain.pem: from the signer up; may be empty when the signer is the root. */
  readonly chainPem: string;
  /** root-cert.pem: one or more roots. */
  readonly rootsPem: string;
}

export interface SignedCertificate {
  readonly leafPem: string;
  /** The answer of CreateCertificate: leaf, each piece of the chain, the root bundle last (Istio's order). */
  readonly answer: readonly string[];
  readonly notAfter: Date;
}

/** A signer of workload certificates. Immutable: a rotated CA is a new object. */
export interface CertificateAuthority {
  readonly rootsPem: string;
  readonly rootFingerprint: string;
  readonly notAfter: Date;
  /** Signs the key of a request for a SPIFFE URI; the request's own names are ignored. Never outlives the signer. */
  sign(csrPem: string, uri: string, ttlSeconds: number): Promise<SignedCertificate>;
  /** A server certificate for the control plane itself: PEM chain and key come from the caller's key. */
  signServer(publicKeyPem: string, dnsNames: readonly string[], ttlSeconds: number): Promise<string>;
}

/** Makes a CA of its material. Throws MeshError CA_INVALID with the reason when the chain does not verify. */
export function createCertificateAuthority(material: CaMaterial, now = Date.now()): CertificateAuthority {
  const why = whyNotTrusted(material.certificatePem, material.chainPem, material.rootsPem, now);
  const signer = new X509Certificate(material.certificatePem);
  if (why !== undefined || !signer.ca) {
    throw new MeshError(
      "CA_INVALID",
      `the CA certificate cannot sign: ${why ?? "it is not a CA (basicConstraints CA:FALSE)"}`,
      {
        hint: "check that ca-cert.pem, cert-chain.pem and root-cert.pem of the Secret cacerts belong together",
      },
    );
  }
  if (!isKeyOf(signer, material.privateKeyPem)) {
    throw new MeshError("CA_INVALID", "the CA's private key is not that of its certificate", {
      hint: "check that ca-key.pem and ca-cert.pem of the Secret cacerts were made together",
    });
  }
  const rootsPem = joinBundle([material.rootsPem]);
  const chain = chainPieces(material, signer);
  const issuer = { certificatePem: material.certificatePem, privateKeyPem: material.privateKeyPem };
  return {
    rootsPem,
    rootFingerprint: fingerprint(rootsPem),
    notAfter: new Date(signer.validTo),
    async sign(csrPem, uri, ttlSeconds) {
      const publicKey = await publicKeyOfCsr(csrPem);
      const leafPem = await certifyPublicKey(issuer, publicKey, {
        uris: [uri],
        usages: ["server", "client"],
        validSeconds: ttlSeconds,
      });
      return {
        leafPem,
        answer: [leafPem, ...chain, rootsPem],
        notAfter: new Date(new X509Certificate(leafPem).validTo),
      };
    },
    async signServer(publicKeyPem, dnsNames, ttlSeconds) {
      const leaf = await certifyPublicKey(issuer, publicKeyPem, {
        dnsNames,
        usages: ["server", "client"],
        validSeconds: ttlSeconds,
      });
      return [leaf, ...chain].join("");
    },
  };
}

function isKeyOf(certificate: X509Certificate, privateKeyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(privateKeyPem));
  } catch {
    return false;
  }
}

/** cert-chain.pem where given; a signer that is no root and has no chain file is its own chain. */
function chainPieces(material: CaMaterial, signer: X509Certificate): string[] {
  const pieces = splitPem(material.chainPem);
  if (pieces.length > 0) return pieces;
  const selfSigned = signer.checkIssued(signer);
  return selfSigned ? [] : splitPem(material.certificatePem);
}
