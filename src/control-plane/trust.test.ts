import { beforeAll, describe, expect, test } from "vitest";
import type { Logger } from "#base/logger";
import { clusterId } from "#model/ids";
import { createCa } from "#pki/issue-certificate";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { Authority } from "./authority.ts";
import { compareTrust, watchTrust } from "./trust.ts";

const id = clusterId("cluster2");
let own: string;
let other: string;
let authority: Authority;

beforeAll(async () => {
  const [first, second] = await Promise.all([createCa({ commonName: "One" }), createCa({ commonName: "Two" })]);
  own = first.certificatePem;
  other = second.certificatePem;
  const material = { certificatePem: own, privateKeyPem: first.privateKeyPem, rootsPem: own, chainPem: "" };
  const logger = { error() {}, info() {}, debug() {} } as unknown as Logger;
  authority = await Authority.load({
    folder: "/nonexistent",
    selfSigned: async () => material,
    multiRoot: false,
    logger,
    clock: new ManualClock(Date.now()),
  });
});

describe("roots", () => {
  test("are equal, shared, different or unknown, and only a difference has something to say", () => {
    const verdict = (rootPem: string | undefined) => {
      const { verdict: found, message } = compareTrust(own, { id, ...(rootPem === undefined ? {} : { rootPem }) });
      return [found, message !== undefined];
    };
    expect(verdict(own)).toEqual(["equal", false]);
    expect(verdict(`${other}${own}`)).toEqual(["shared", false]);
    expect(verdict(other)).toEqual(["differ", true]);
    expect(verdict(undefined)).toEqual(["unknown", false]);
  });

  test("that differ are warned of once a turn, and their end is told", () => {
    const lines: string[] = [];
    const log = (level: string) => (_keys: unknown, message: string) => lines.push(`${level} ${message}`);
    const logger = { warn: log("warn"), info: log("info") } as unknown as Logger;
    const trust = watchTrust({ authority, logger, signal: new AbortController().signal });
    const update = (rootPem: string) =>
      trust.update([{ id, secretName: "s", syncStatus: "synced", since: 0, rootPem }]);
    update(other);
    update(other);
    expect(lines).toEqual([expect.stringMatching(/^warn cluster cluster2 has another root .* workloads will fail/)]);
    update(own);
    expect(lines[1]).toBe("info cluster cluster2 shares our root again");
    update(other);
    expect(lines).toHaveLength(3);
  });
});
