// Roots as a set of PEM certificates: trust is a bundle, never one root.
import { X509Certificate } from "node:crypto";

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, each newline-terminated, in their order. */
export function splitPem(text: string): string[] {
  return (text.match(PEM_BLOCK) ?? []).map((block) => `${block}\n`);
}

/** Joins PEM texts into one bundle without repetitions. */
export function joinBundle(texts: readonly string[]): string {
  return [...new Set(texts.flatMap(splitPem))].join("");
}

/** SHA-256 of the DER form, lower-case hex without colons; the text must hold at least one certificate. */
export function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** True when the two bundles have a root in common, so that their leaves can trust each other. */
export function shareRoot(a: string, b: string): boolean {
  const known = new Set(splitPem(a).map(fingerprint));
  return splitPem(b).some((pem) => known.has(fingerprint(pem)));
}

/**
 * Checks that `leafPem` chains to one of `roots`, over `intermediates` where needed, at `now` (milliseconds).
 * Gives undefined when it does, else the reason in one sentence.
 */
export function whyNotTrusted(leafPem: string, intermediates: string, roots: string, now: number): string | undefined {
  const pool = splitPem(intermediates).map((pem) => new X509Certificate(pem));
  const anchors = splitPem(roots).map((pem) => new X509Certificate(pem));
  let current = new X509Certificate(leafPem);
  for (let depth = 0; depth <= pool.length + 1; depth += 1) {
    const subject = current.subject || "the certificate";
    if (Date.parse(current.validTo) < now) return `${subject} expired at ${current.validTo}`;
    if (Date.parse(current.validFrom) > now) return `${subject} is not valid before ${current.validFrom}`;
    const child = current;
    if (anchors.some((root) => root.fingerprint256 === child.fingerprint256 || isIssuedBy(child, root)))
      return undefined;
    const parent = pool.find(
      (candidate) => candidate.fingerprint256 !== child.fingerprint256 && isIssuedBy(child, candidate),
    );
    if (parent === undefined)
      return `${subject} is issued by ${current.issuer || "nobody known"}, which is not in the trust bundle`;
    current = parent;
  }
  return "the certificate chain goes in a circle";
}

function isIssuedBy(child: X509Certificate, parent: X509Certificate): boolean {
  return child.checkIssued(parent) && child.verify(parent.publicKey);
}
