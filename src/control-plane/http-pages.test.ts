import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { GrpcError } from "#grpc/grpc-error";
import type { Credentials } from "./authenticate.ts";
import type { DebugSources } from "./debug-pages.ts";
import { httpPages } from "./http-pages.ts";

const TOKENS: Readonly<Record<string, string>> = { "Bearer ours": "istio-system", "Bearer theirs": "sample" };

const handler = httpPages({
  sources: {} as DebugSources, // the list of pages reads none
  whyNotReady: () => "waiting for remote clusters",
  metrics: { contentType: "text/plain", metrics: async () => "istiod_uptime 1\n" },
  authenticate: async ({ authorization = "" }: Credentials) => {
    const namespace = TOKENS[authorization];
    if (namespace === undefined) throw new GrpcError("unauthenticated", "unknown");
    const uri = `spiffe://cluster.local/ns/${namespace}/sa/x`;
    return { trustDomain: "cluster.local", namespace, serviceAccount: "x", uri, by: "token" };
  },
  namespace: "istio-system",
  logger: silentLogger(),
});

interface Caller {
  readonly from: string;
  readonly authorization?: string;
}

/** The handler reads no more of a request than this. */
function get(url: string, { from, authorization }: Caller): Promise<{ status: number; body: string }> {
  return new Promise((resolve) => {
    let status = 0;
    const headers = authorization === undefined ? {} : { authorization };
    const request = { method: "GET", url, headers, socket: { remoteAddress: from } } as unknown as IncomingMessage;
    const response = {
      writeHead: (code: number) => {
        status = code;
      },
      end: (body = "") => resolve({ status, body }),
    } as unknown as ServerResponse;
    handler(request, response);
  });
}

test.each<[string, Caller, number]>([
  ["loopback", { from: "127.0.0.1" }, 200],
  ["loopback written as IPv6", { from: "::ffff:127.0.0.1" }, 200],
  ["a pod", { from: "10.244.0.7" }, 403],
  ["a pod with a token of the own namespace", { from: "10.244.0.7", authorization: "Bearer ours" }, 200],
  ["a pod with a token of another namespace", { from: "10.244.0.7", authorization: "Bearer theirs" }, 403],
  ["a pod with a token that nobody knows", { from: "10.244.0.7", authorization: "Bearer forged" }, 403],
])("debug pages for %s", async (_name, caller, status) => {
  expect((await get("/debug/list", caller)).status).toBe(status);
});

test("readiness, metrics and version are for everybody", async () => {
  const caller = { from: "10.244.0.7" };
  expect(await get("/ready", caller)).toEqual({ status: 503, body: "not ready: waiting for remote clusters\n" });
  expect((await get("/metrics", caller)).body).toContain("istiod_uptime");
  expect((await get("/version", caller)).status).toBe(200);
  expect((await get("/nothing", caller)).status).toBe(404);
});
