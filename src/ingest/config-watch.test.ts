import { afterEach, describe, expect, it } from "vitest";
import type { KubeObject } from "#api/kubernetes/object";
import { systemClock } from "#base/clock";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { FakeMesh } from "../../tests/kit/fake-mesh.ts";
import { watchConfig } from "./config-watch.ts";

const gateway = (hosts: readonly string[], apiVersion = "networking.istio.io/v1"): KubeObject =>
  ({
    apiVersion,
    kind: "Gateway",
    metadata: { name: "expose", namespace: "istio-system" },
    spec: { selector: { istio: "eastwestgateway" }, servers: [{ port: { number: 15443, protocol: "tls" }, hosts }] },
  }) as KubeObject;

const meshConfig = (mesh: string): KubeObject =>
  ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "istio", namespace: "istio-system" },
    data: { mesh },
  }) as KubeObject;

describe("watchConfig", () => {
  let mesh: FakeMesh;
  const start = async (...objects: KubeObject[]) => {
    mesh = new FakeMesh({ own: "c1", clusters: { c1: objects } });
    await mesh.start();
  };
  afterEach(() => mesh.stop());
  const hosts = () =>
    mesh.store.current.policies.Gateway.flatMap(({ spec }) => spec.servers.flatMap((each) => each.hosts));
  const soon = (condition: () => boolean, reason: string) =>
    until(condition, { reason, timeoutMs: 60_000, intervalMs: 5 });

  it("follows objects of the own cluster", async () => {
    await start(gateway(["*.local"], "networking.istio.io/v1alpha3"));
    expect(hosts()).toEqual(["*.local"]);
    mesh.client("c1").put(gateway(["a.local"]));
    await soon(() => hosts()[0] === "a.local", "the change is read");
    mesh.client("c1").remove(gateway([]));
    await soon(() => hosts().length === 0, "the removal is read");
  });

  it("refuses one bad object with a reason and keeps its last good version", async () => {
    await start(gateway(["*.local"]));
    mesh.client("c1").put(gateway([]));
    await soon(() => mesh.store.problems().length === 1, "the object is refused");
    expect(mesh.store.problems()[0]).toMatchObject({
      cluster: "c1",
      object: "Gateway istio-system/expose",
      message: "spec.servers[0].hosts must name at least one host",
    });
    expect(hosts()).toEqual(["*.local"]);
    mesh.client("c1").put(gateway(["b.local"]));
    await soon(() => hosts()[0] === "b.local", "the mended object is read");
    expect(mesh.store.problems()).toEqual([]);
  });

  it("starts without a CRD, and takes an older version where only that is served", async () => {
    mesh = new FakeMesh({ own: "c1", clusters: { c1: [gateway(["*.local"])] } });
    const client = mesh.client("c1");
    for (const version of ["v1", "v1beta1"]) client.missing.add(`gateways.networking.istio.io/${version}`);
    for (const version of ["v1", "v1beta1", "v1alpha3"])
      client.missing.add(`peerauthentications.security.istio.io/${version}`);
    await mesh.start();
    expect(hosts()).toEqual(["*.local"]);
  });

  it("reads the mesh configuration of its own revision", async () => {
    const canary = {
      ...meshConfig("trustDomain: canary"),
      metadata: { name: "istio-canary", namespace: "istio-system" },
    };
    await start(meshConfig("trustDomain: td"), canary);
    const life = new AbortController();
    const options = { client: mesh.client("c1"), store: mesh.store, signal: life.signal, clock: systemClock };
    await watchConfig({ ...options, logger: silentLogger(), meshConfigMap: "istio-canary" }).synced;
    expect(mesh.store.current.mesh.config.trustDomain).toBe("canary");
    life.abort();
  });

  it("reads the mesh configuration, keeps the last good one, and goes back to defaults", async () => {
    await start(meshConfig("trustDomain: td\nconnectTimeout: 1m30s\noutboundTrafficPolicy: {mode: REGISTRY_ONLY}"));
    const config = () => mesh.store.current.mesh.config;
    expect(config()).toMatchObject({
      trustDomain: "td",
      connectTimeoutMs: 90_000,
      outboundTrafficPolicy: "REGISTRY_ONLY",
    });
    mesh.client("c1").put(meshConfig("trustDomain: [1]\nconnectTimeout: soon"));
    await soon(() => mesh.store.problems().length === 1, "the document is refused");
    expect(mesh.store.problems()[0]?.message).toContain("connectTimeout");
    expect(config().trustDomain).toBe("td");
    mesh.client("c1").remove(meshConfig(""));
    await soon(() => config().trustDomain === "cluster.local", "the defaults are back");
    expect(mesh.store.problems()).toEqual([]);
  });
});
