import { createPublicKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { createCertificateAuthority } from "./certificate-authority.ts";
import { createCsr } from "./csr.ts";
import { createCa } from "./issue-certificate.ts";
import { generateKeyPair } from "./keys.ts";
import { shareRoot, whyNotTrusted } from "./trust-bundle.ts";

const URI = "spiffe://cluster.local/ns/sample/sa/sleep";

test("an intermediate signs a workload's key, and the leaf chains to the common root only", async () => {
  const root = await createCa({ commonName: "Root CA", organization: "Istio", keyType: "rsa" });
  const foreign = await createCa({ commonName: "Other root" });
  const intermediate = await createCa({ commonName: "Intermediate CA", issuer: root });
  const chainPem = intermediate.certificatePem + root.certificatePem;
  const ca = createCertificateAuthority({ ...intermediate, chainPem, rootsPem: root.certificatePem });
  const pair = await generateKeyPair();
  const { leafPem, answer } = await ca.sign(await createCsr({ ...pair, uris: ["spiffe://lies/ns/x/sa/y"] }), URI, 3600);

  const leaf = new X509Certificate(leafPem);
  expect(leaf.subjectAltName).toBe(`URI:${URI}`);
  expect(leaf.subject).toBeUndefined();
  expect(leaf.publicKey.equals(createPublicKey(pair.publicKeyPem))).toBe(true);
  expect(answer).toEqual([leafPem, intermediate.certificatePem, root.certificatePem, root.certificatePem]);
  expect(whyNotTrusted(leafPem, chainPem, root.certificatePem, Date.now())).toBeUndefined();
  expect(whyNotTrusted(leafPem, chainPem, foreign.certificatePem, Date.now())).toContain("not in the trust bundle");
  expect(whyNotTrusted(leafPem, chainPem, root.certificatePem, Date.now() + 7_200_000)).toContain("expired");
  expect(shareRoot(root.certificatePem, foreign.certificatePem + root.certificatePem)).toBe(true);
  expect(shareRoot(root.certificatePem, foreign.certificatePem)).toBe(false);
});

test("a leaf never outlives its signer", async () => {
  const root = await createCa({ commonName: "short", validDays: 1 });
  const ca = createCertificateAuthority({ ...root, chainPem: "", rootsPem: root.certificatePem });
  const pair = await generateKeyPair();
  const signed = await ca.sign(await createCsr({ ...pair, uris: [URI] }), URI, 10 * 86_400);
  expect(signed.notAfter).toEqual(ca.notAfter);
  expect(signed.answer).toHaveLength(2);
});

test("material that does not belong together is refused with the reason", async () => {
  const root = await createCa({ commonName: "a" });
  const other = await createCa({ commonName: "b" });
  expect(() => createCertificateAuthority({ ...root, chainPem: "", rootsPem: other.certificatePem })).toThrow(
    /not in the trust bundle/,
  );
  const { privateKeyPem } = other;
  const rootsPem = root.certificatePem;
  expect(() => createCertificateAuthority({ ...root, privateKeyPem, chainPem: "", rootsPem })).toThrow(/private key/);
  expect(() => createCertificateAuthority({ ...root, privateKeyPem: "no key", chainPem: "", rootsPem })).toThrow(
    /private key/,
  );
});

test("a request that its sender did not sign is refused", async () => {
  const root = await createCa({ commonName: "a" });
  const ca = createCertificateAuthority({ ...root, chainPem: "", rootsPem: root.certificatePem });
  await expect(ca.sign("nonsense", URI, 60)).rejects.toThrow(/PKCS#10/);
});
