import { beforeAll, describe, expect, test } from "vitest";
import { type CertificateAndKey, createCa, issueCertificate } from "./issue-certificate.ts";
import { fingerprint, joinBundle, shareRoot, splitPem, whyNotTrusted } from "./trust-bundle.ts";

let root: CertificateAndKey;
let other: CertificateAndKey;
let leaf: CertificateAndKey;

beforeAll(async () => {
  [root, other] = await Promise.all([createCa({ commonName: "root" }), createCa({ commonName: "other" })]);
  leaf = await issueCertificate(root, { commonName: "leaf", usages: ["server"], validSeconds: 3600 });
});

describe("a bundle", () => {
  test("holds each root once, whatever stands between them", () => {
    const twice = `# comment\r\n${root.certificatePem}\n\n${other.certificatePem}${root.certificatePem}`;
    expect(splitPem(twice)).toHaveLength(3);
    expect(splitPem(joinBundle([twice, root.certificatePem]))).toHaveLength(2);
    expect(splitPem("nothing here")).toEqual([]);
  });

  test("shares a root with another or does not", () => {
    expect(shareRoot(root.certificatePem, joinBundle([other.certificatePem, root.certificatePem]))).toBe(true);
    expect(shareRoot(root.certificatePem, other.certificatePem)).toBe(false);
    expect(shareRoot("", other.certificatePem)).toBe(false);
  });

  test("knows a certificate by its SHA-256", () => {
    expect(fingerprint(root.certificatePem)).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprint(root.certificatePem)).not.toBe(fingerprint(other.certificatePem));
  });
});

describe("trust in a leaf", () => {
  const why = (roots: string, now = Date.now()) => whyNotTrusted(leaf.certificatePem, "", roots, now);

  test("comes from its root, in any place of the bundle", () => {
    expect(why(joinBundle([other.certificatePem, root.certificatePem]))).toBeUndefined();
  });

  test("of another root is refused with the issuer's name", () => {
    expect(why(other.certificatePem)).toMatch(/issued by .*root.*, which is not in the trust bundle/);
  });

  test("ends with its time, and does not begin before", () => {
    expect(why(root.certificatePem, Date.now() + 7200_000)).toMatch(/expired at/);
    expect(why(root.certificatePem, Date.now() - 86_400_000 * 30)).toMatch(/is not valid before/);
  });
});
