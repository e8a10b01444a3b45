import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { createCa } from "#pki/issue-certificate";
import { splitPem } from "#pki/trust-bundle";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { Authority } from "./authority.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "isthmus-authority-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const put = (files: Record<string, string>) => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
};
const load = (multiRoot: boolean) => {
  const selfSigned = () => Promise.reject(new Error("not asked for"));
  return Authority.load({
    folder,
    selfSigned,
    multiRoot,
    logger: silentLogger(),
    clock: new ManualClock(Date.now() + 1000),
  });
};

test.each([
  [true, 2],
  [false, 1],
])("a root that is added to the bundle alone is taken when several are wanted (%s)", async (multiRoot, count) => {
  const [root, added] = [await createCa({ commonName: "One" }), await createCa({ commonName: "Two" })];
  put({ "ca-cert.pem": root.certificatePem, "ca-key.pem": root.privateKeyPem, "root-cert.pem": root.certificatePem });
  const authority = await load(multiRoot);
  let heard = 0;
  authority.subscribe(() => heard++);
  put({ "root-cert.pem": `${root.certificatePem}${added.certificatePem}` });
  authority.reload();
  authority.reload();
  expect(splitPem(authority.current.rootsPem)).toHaveLength(count);
  expect(heard).toBe(count - 1);
  expect(authority.problem === undefined).toBe(multiRoot);
});

test("a certificate without its key changes nothing, until the key is there", async () => {
  const root = await createCa({ commonName: "Root" });
  const [first, second] = [
    await createCa({ commonName: "A", issuer: root }),
    await createCa({ commonName: "B", issuer: root }),
  ];
  const chain = (ca: typeof first) => ca.certificatePem + root.certificatePem;
  put({ "ca-cert.pem": first.certificatePem, "ca-key.pem": first.privateKeyPem });
  put({ "root-cert.pem": root.certificatePem, "cert-chain.pem": chain(first) });
  const authority = await load(false);
  const before = authority.current;
  put({ "ca-cert.pem": second.certificatePem, "cert-chain.pem": chain(second) });
  authority.reload();
  expect(authority.current).toBe(before);
  expect(authority.problem).toMatch(/private key/);
  put({ "ca-key.pem": second.privateKeyPem });
  authority.reload();
  expect(authority.current).not.toBe(before);
  expect(authority.problem).toBeUndefined();
});
