// What the guide promises, for whatever cluster it ran on.
import { expect } from "vitest";
import { until } from "#base/until";
import { callSpread, whyNotSpread } from "#playground/guide/call-spread";
import type { TestPlayground } from "./playground.ts";

const VERSIONS = ["v1", "v2"];
const FEW_CALLS = 20;

/** `calls` from each cluster, no error, each share within five standard deviations of one half. */
export async function expectPromise(playground: TestPlayground, calls: number): Promise<void> {
  const { environment } = playground;
  const spreads = await Promise.all(
    ["cluster1", "cluster2"].map((context) => callSpread({ context, calls, environment })),
  );
  expect(spreads.flatMap((spread) => whyNotSpread(spread, VERSIONS) ?? []).join("\n")).toBe("");
}

/** Waits until both clusters' calls are spread: what was told last has reached every proxy. */
export async function untilSpread({ environment }: TestPlayground): Promise<void> {
  for (const context of ["cluster1", "cluster2"]) {
    const isSpread = async () =>
      whyNotSpread(await callSpread({ context, calls: FEW_CALLS, environment }), VERSIONS) === undefined;
    await until(isSpread, { reason: `both versions answer ${context}`, timeoutMs: 60_000 });
  }
}

/** Four proxies in each cluster, and none has refused what it was sent. */
export async function expectProxiesAccept(playground: TestPlayground): Promise<void> {
  for (const context of ["cluster1", "cluster2"]) {
    const status = JSON.parse(await playground.ok("istioctl", ["proxy-status", "--context", context, "-o", "json"]));
    expect(status.length).toBe(4);
    for (const entry of status) expect([entry.proxy, entry.rejected]).toEqual([entry.proxy, undefined]);
  }
}
