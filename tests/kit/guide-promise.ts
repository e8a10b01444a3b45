// What the guide promises, for whatever cluster it ran on.
import { expect } from "vitest";
import { callSpread, whyNotSpread } from "#playground/guide/call-spread";
import type { TestPlayground } from "./playground.ts";

const VERSIONS = ["v1", "v2"];

/** `calls` from each cluster, no error, each share within five standard deviations of one half. */
export async function expectPromise(playground: TestPlayground, calls: number): Promise<void> {
  const { environment } = playground;
  const spreads = await Promise.all(
    ["cluster1", "cluster2"].map((context) => callSpread({ context, calls, environment })),
  );
  expect(spreads.map((spread) => whyNotSpread(spread, VERSIONS))).toEqual([undefined, undefined]);
}

/** Four proxies in each cluster, and none has refused what it was sent. */
export async function expectProxiesAccept(playground: TestPlayground): Promise<void> {
  for (const context of ["cluster1", "cluster2"]) {
    const status = JSON.parse(await playground.ok("istioctl", ["proxy-status", "--context", context, "-o", "json"]));
    expect(status.length).toBe(4);
    for (const entry of status) expect([entry.proxy, entry.rejected]).toEqual([entry.proxy, undefined]);
  }
}
