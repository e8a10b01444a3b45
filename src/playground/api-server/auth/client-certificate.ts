import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { UserInfo } from "../contract.ts";

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const MAX_CHAIN = 5;

/** Splits a PEM file of one or more certificates. */
export function parseCertificates(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/**
 * The identity in the socket's client certificate: CN is the user, each O a group. Undefined when none was shown; throws
 * an Error when it does not chain to one of the roots, is out of its time, or is not meant for clients.
 */
export function certificateUser(
  socket: TLSSocket,
  roots: readonly X509Certificate[],
  now: number,
): UserInfo | undefined {
  const certificate = socket.getPeerX509Certificate?.();
  if (certificate === undefined) return undefined;
  checkChain(certificate, roots, now);
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  if (purposes !== undefined && !purposes.includes(CLIENT_AUTH)) {
    throw new Error("the certificate is not meant for client authentication");
  }
  const { CN, O } = certificate.toLegacyObject().subject as { CN?: string | string[]; O?: string | string[] };
  const username = [CN ?? []].flat().at(-1);
  if (username === undefined || username === "") throw new Error("the certificate names no user: its CN is empty");
  const hash = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  return {
    username,
    groups: [O ?? []].flat().concat("system:authenticated"),
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${hash}`] },
  };
}

function checkChain(leaf: X509Certificate, roots: readonly X509Certificate[], now: number): void {
  let certificate: X509Certificate | undefined = leaf;
  for (let depth = 0; depth < MAX_CHAIN && certificate !== undefined; depth += 1) {
    const current: X509Certificate = certificate;
    if (now < Date.parse(current.validFrom) || now > Date.parse(current.validTo)) {
      throw new Error("the certificate has expired or is not yet valid");
    }
    if (roots.some((root) => current.checkIssued(root) && current.verify(root.publicKey))) return;
    const issuer: X509Certificate | undefined = current.issuerCertificate;
    certificate = issuer?.ca && current.checkIssued(issuer) && current.verify(issuer.publicKey) ? issuer : undefined;
  }
  throw new Error("the certificate is signed by an unknown authority");
}
