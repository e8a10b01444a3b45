import { expect, test } from "vitest";
import { silentLogger } from "#base/logger";
import { createGrpcServer, type GrpcMethod } from "#grpc/server";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { readAppProbers } from "./app-probes.ts";
import { fullJitterBackoff } from "./backoff.ts";
import { drainProxy } from "./drain-proxy.ts";
import { parseStats } from "./envoy-admin.ts";
import { nameservers, readIptablesConfig } from "./iptables/options.ts";
import { mergedMetrics, readAppMetrics, renameIstioMetrics } from "./metrics.ts";
import { readAgentConfig } from "./options.ts";
import { durationMs, parsePodInfo } from "./proxy-config.ts";
import { createReadiness } from "./readiness.ts";

test("Istio's metrics lose Envoy's prefix, all others keep it", () => {
  const text = [
    "# TYPE envoy_istio_requests_total counter",
    'envoy_istio_requests_total{reporter="source",x="envoy_istio_"} 3',
    'envoy_cluster_upstream_cx_total{envoy_cluster_name="xds-grpc"} 1',
  ].join("\n");
  expect(renameIstioMetrics(text)).toBe(
    [
      "# TYPE istio_requests_total counter",
      'istio_requests_total{reporter="source",x="envoy_istio_"} 3',
      'envoy_cluster_upstream_cx_total{envoy_cluster_name="xds-grpc"} 1',
    ].join("\n"),
  );
});

test("a source of metrics that fails is left out", async () => {
  const text = await mergedMetrics({
    envoy: () => Promise.reject(new Error("down")),
    app: undefined,
    agent: () => "agent 1\n",
    logger: silentLogger(),
  });
  expect(text).toBe("agent 1\n");
});

test("scrape annotations", () => {
  expect(readAppMetrics('{"scrape":"true","path":"/m","port":"9090"}')).toEqual({ path: "/m", port: 9090 });
  expect(readAppMetrics('{"scrape":"true"}')).toEqual({ path: "/metrics", port: 80 });
  expect(readAppMetrics('{"scrape":"false","port":"1"}')).toBeUndefined();
  expect(readAppMetrics("")).toBeUndefined();
});

test("ready needs clusters, listeners and workers once, and a live Envoy always", async () => {
  const stats = new Map([["server.state", 0]]);
  const admin = { stats: async () => stats, prometheus: async () => "", drainListeners: async () => undefined };
  const readiness = createReadiness(admin);
  expect(await readiness.whyNotReady()).toContain("no clusters");
  stats.set("cluster_manager.cds.update_success", 1);
  expect(await readiness.whyNotReady()).toContain("no listeners");
  stats.set("listener_manager.lds.update_success", 1);
  expect(await readiness.whyNotReady()).toContain("workers");
  stats.set("listener_manager.workers_started", 1);
  expect(await readiness.whyNotReady()).toBeUndefined();
  stats.clear();
  stats.set("server.state", 1);
  expect(await readiness.whyNotReady()).toContain("server.state is 1");
  stats.set("server.state", 0);
  expect(await readiness.whyNotReady()).toBeUndefined();
  readiness.drain();
  expect(await readiness.whyNotReady()).toContain("draining");
});

test("draining waits its time, or for the last connection that is not the agent's own", async () => {
  const clock = new ManualClock();
  let active = 2;
  const admin = {
    stats: async () =>
      new Map([
        ["listener.0.0.0.0_15021.downstream_cx_active", 9],
        ["listener.10.0.0.1_15006.downstream_cx_active", active],
      ]),
    prometheus: async () => "",
    drainListeners: async () => undefined,
  };
  const run = (exitOnZeroActiveConnections: boolean) => {
    const state = { isDone: false };
    const context = { admin, clock, logger: silentLogger(), signal: new AbortController().signal };
    const options = { terminationDrainMs: 5000, exitOnZeroActiveConnections, minimumDrainMs: 0 };
    drainProxy(options, context).then(() => {
      state.isDone = true;
    }, undefined);
    return state;
  };
  const settle = async (ms: number) => {
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    clock.advance(ms);
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
  };
  const timed = run(false);
  await settle(4999);
  expect(timed.isDone).toBe(false);
  await settle(1);
  expect(timed.isDone).toBe(true);
  const waiting = run(true);
  await settle(60_000);
  expect(waiting.isDone).toBe(false);
  active = 0;
  await settle(250);
  await settle(250);
  expect(waiting.isDone).toBe(true);
});

test("what is wrong in the environment is named", () => {
  const read = (env: Record<string, string>, role = "sidecar") => readAgentConfig({ role }, env, "/nowhere");
  expect(() => read({}, "waypointish")).toThrow('not "waypointish"');
  expect(() => read({ SECRET_TTL: "soon" })).toThrow("SECRET_TTL");
  expect(() => read({ SECRET_GRACE_PERIOD_RATIO: "2" })).toThrow("SECRET_GRACE_PERIOD_RATIO");
  expect(() => read({ PROXY_CONFIG: "{" })).toThrow("PROXY_CONFIG is no JSON");
  expect(() => read({ PROXY_CONFIG: '{"concurrency":"x"}' })).toThrow("PROXY_CONFIG.concurrency");
  expect(() => readAppProbers("[]")).toThrow("ISTIO_KUBE_APP_PROBERS");
  expect(() => readIptablesConfig({ envoyPort: "x" })).toThrow("-p x");
  expect(() => readIptablesConfig({ istioInboundInterceptionMode: "MAGIC" })).toThrow("MAGIC");
});

test("a proxy that waits for its last connection need not wait any longer", () => {
  const read = (env: Record<string, string>) => readAgentConfig({ role: "sidecar" }, env, "/nowhere").minimumDrainMs;
  expect([read({}), read({ MINIMUM_DRAIN_DURATION: "5s" })]).toEqual([0, 5000]);
});

test("a gRPC health check counts as serving only when it says so", async () => {
  let answer = Buffer.from([0x08, 1]);
  const check: GrpcMethod = { kind: "unary", path: "/grpc.health.v1.Health/Check", handle: async () => answer };
  const server = createGrpcServer({ services: [check], logger: silentLogger() });
  const port = await server.listen({ port: 0, host: "127.0.0.1" });
  const prober = readAppProbers(JSON.stringify({ "/p": { grpc: { port, service: "x" } } })).get("/p");
  const target = { host: "10.0.0.1", localAddress: undefined };
  expect(await prober?.(target, {})).toBe(200);
  answer = Buffer.from([0x08, 2]);
  expect(await prober?.(target, {})).toBe(503);
  await server.close();
  expect(await prober?.(target, {})).toBe(503);
});

test("small forms", () => {
  expect(durationMs("1h30m")).toBe(5_400_000);
  expect(durationMs("0.5s")).toBe(500);
  expect(durationMs("250ms")).toBe(250);
  expect(durationMs("five")).toBeUndefined();
  expect(parsePodInfo('a="1"\nb.c/d="x=\\"y\\"\\n"\n')).toEqual({ a: "1", "b.c/d": 'x="y"\n' });
  expect(parseStats("server.state: 0\nx: y\nlistener.[::]_80.cx: 3\n")).toEqual(
    new Map([
      ["server.state", 0],
      ["listener.[::]_80.cx", 3],
    ]),
  );
  expect(nameservers("# c\nnameserver 10.0.0.1\nnameserver fe80::1%eth0\n")).toEqual(["10.0.0.1", "fe80::1"]);
  const backoff = fullJitterBackoff(100, 350, () => 1);
  expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 200, 350, 350]);
});
