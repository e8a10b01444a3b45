import { beforeEach, expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import type { EngineParts } from "./api-context.ts";
import { createEngine } from "./create-engine.ts";
import { identityOf, removeExpiredLeases, renewIdentityLease } from "./identity-lease.ts";
import { stringAt } from "./json.ts";

const KEY = "coordination.k8s.io/leases";
let parts: EngineParts;
let now = 0;

beforeEach(() => {
  now = Date.parse("2026-01-01T00:00:00Z");
  parts = { ...createEngine({ serviceCIDR: "10.96.0.0/16" }, silentLogger()), admission: [], now: () => now };
});

const lease = (name: string) => parts.store.get(KEY, "kube-system", name);

test("an identity is what Kubernetes calls this machine", () => {
  expect(identityOf("vm")).toBe("apiserver-wlv32tlttr4jl3gtroqexyxapa");
});

test("a lease is made, renewed, and stays its maker's", async () => {
  await renewIdentityLease(parts, "apiserver-a_1");
  now += 10_000;
  await renewIdentityLease(parts, "apiserver-a_2");
  expect(lease("apiserver-a")?.["spec"]).toEqual({
    holderIdentity: "apiserver-a_1",
    leaseDurationSeconds: 3600,
    renewTime: "2026-01-01T00:00:10.000000Z",
  });
  expect(stringAt(lease("apiserver-a"), "metadata", "labels", "apiserver.kubernetes.io/identity")).toBe(
    "kube-apiserver",
  );
});

test("leases of servers that are no more go after their hour", async () => {
  await renewIdentityLease(parts, "apiserver-a_1");
  now += 3_600_000;
  removeExpiredLeases(parts);
  expect(lease("apiserver-a")).toBeDefined();
  await renewIdentityLease(parts, "apiserver-b_1");
  now += 1;
  removeExpiredLeases(parts);
  expect([lease("apiserver-a"), lease("apiserver-b") !== undefined]).toEqual([undefined, true]);
});
