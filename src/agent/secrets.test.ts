import { createPublicKey, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { createCertificateAuthority } from "#pki/certificate-authority";
import { publicKeyOfCsr } from "#pki/csr";
import { createCa } from "#pki/issue-certificate";
import { generateKeyPair } from "#pki/keys";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { SecretManager } from "./secrets.ts";
import { buildWorkloadCsr } from "./workload-csr.ts";

const URI = "spiffe://cluster.local/ns/sample/sa/sleep";
const HOUR_MS = 3_600_000;

let folder: string;
let stop: AbortController;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "secrets-"));
  stop = new AbortController();
});
afterEach(() => {
  stop.abort();
  rmSync(folder, { recursive: true });
});

test("the hand-made request is a PKCS#10 one, signed by its own key", async () => {
  const pair = await generateKeyPair();
  const csr = buildWorkloadCsr(pair.privateKeyPem, URI);
  const key = createPublicKey(await publicKeyOfCsr(csr)).export({ type: "spki", format: "pem" });
  expect(key).toBe(pair.publicKeyPem);
  await expect(publicKeyOfCsr(csr.replace("MI", "MJ"))).rejects.toThrow();
});

/** A manager over a real CA whose answers can be made to fail. */
async function start() {
  const ca = await createCa({ commonName: "root" });
  const authority = createCertificateAuthority({
    certificatePem: ca.certificatePem,
    privateKeyPem: ca.privateKeyPem,
    chainPem: "",
    rootsPem: ca.certificatePem,
  });
  const clock = new ManualClock(Date.now());
  const state = { failing: false, calls: 0, seen: [] as string[], curves: [] as (string | undefined)[] };
  const rootCertPath = join(folder, "root.pem");
  writeFileSync(rootCertPath, ca.certificatePem);
  const manager = new SecretManager({
    uri: URI,
    ttlSeconds: 24 * 3600,
    gracePeriodRatio: 0.5,
    rootCertPath,
    clock,
    logger: silentLogger(),
    random: () => 0.5,
    sign: async (csr, ttl) => {
      state.calls++;
      if (state.failing) throw new Error("the CA is away");
      const { answer } = await authority.sign(csr, URI, ttl);
      state.curves.push(new X509Certificate(answer[0] ?? "").publicKey.asymmetricKeyDetails?.namedCurve);
      return answer;
    },
  });
  manager.subscribe((name) => state.seen.push(name));
  manager.run(stop.signal).catch(() => undefined);
  return { manager, clock, state, rootCertPath };
}

const soon = (condition: () => boolean, reason: string) =>
  until(condition, { reason, timeoutMs: 60_000, intervalMs: 5 });

test("a certificate comes, and is renewed after half of its life", async () => {
  const { manager, clock, state } = await start();
  await soon(() => manager.get("default") !== undefined && manager.get("ROOTCA") !== undefined, "both secrets");
  const first = manager.get("default")?.version;
  clock.advance(11 * HOUR_MS);
  expect(state.calls).toBe(1);
  clock.advance(2 * HOUR_MS);
  await soon(() => manager.get("default")?.version !== first, "the renewal");
  expect(state.calls).toBe(2);
  expect(state.curves).toEqual(["prime256v1", "prime256v1"]);
});

test("a CA that is away leaves the old certificate, and is asked again and again", async () => {
  const { manager, clock, state } = await start();
  await soon(() => manager.get("default") !== undefined, "the first");
  const first = manager.get("default")?.version;
  state.failing = true;
  clock.advance(13 * HOUR_MS);
  await soon(() => state.calls === 2, "a try");
  for (let tries = 3; tries < 6; tries++) {
    await soon(() => {
      clock.advance(1000);
      return state.calls >= tries;
    }, "another try");
  }
  expect(manager.get("default")?.version).toBe(first);
  state.failing = false;
  await soon(() => {
    clock.advance(1000);
    return manager.get("default")?.version !== first;
  }, "the renewal");
});

test("a new root in the mounted file reaches Envoy without a renewal", async () => {
  const { manager, clock, state, rootCertPath } = await start();
  await soon(() => manager.get("default") !== undefined && manager.get("ROOTCA") !== undefined, "both secrets");
  const other = await createCa({ commonName: "other root" });
  writeFileSync(rootCertPath, other.certificatePem);
  const before = manager.get("ROOTCA")?.version;
  clock.advance(10_000);
  await soon(() => manager.get("ROOTCA")?.version !== before, "the new bundle");
  expect(state.calls).toBe(1);
  const text = Buffer.from(manager.get("ROOTCA")?.any ?? []).toString();
  const subjects = text
    .match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g)
    ?.map((pem) => new X509Certificate(pem).subject);
  expect(subjects).toEqual(["CN=root", "CN=other root"]);
});
