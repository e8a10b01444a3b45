import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Secret, Service } from "#api/kubernetes/gen/types";
import { systemClock } from "#base/clock";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { clusterId } from "#model/ids";
import { FakeKubeClient } from "../../tests/kit/fake-kube-client.ts";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { MeshStore } from "./mesh-store.ts";
import { type RemoteClusters, watchRemoteClusters } from "./remote-clusters.ts";

const kubeconfig = (server: string, user: object = { token: "t" }) =>
  JSON.stringify({ clusters: [{ name: "c", cluster: { server } }], users: [{ name: "u", user }] });

const secret = (name: string, data: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: "istio-system", labels: { "istio/multiCluster": "true" } },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")])),
});

const service = (name: string): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "sample" },
  spec: { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ports: [{ name: "http", port: 80 }] },
});

const soon = (condition: () => boolean, reason: string) =>
  until(condition, { reason, timeoutMs: 60_000, intervalMs: 5 });

describe("watchRemoteClusters", () => {
  let own: FakeKubeClient;
  let store: MeshStore;
  let life: AbortController;
  let servers: Record<string, FakeKubeClient>;
  let clock: ManualClock;
  let remotes: RemoteClusters;

  beforeEach(() => {
    own = new FakeKubeClient();
    life = new AbortController();
    clock = new ManualClock();
    servers = { a: new FakeKubeClient([service("hello")]), b: new FakeKubeClient([service("hello"), service("more")]) };
    store = new MeshStore({
      ownCluster: clusterId("cluster1"),
      systemNamespace: "istio-system",
      domain: "cluster.local",
      clock: systemClock,
    });
  });
  afterEach(() => life.abort());

  const start = () => {
    remotes = watchRemoteClusters({
      client: own,
      store,
      signal: life.signal,
      logger: silentLogger(),
      clock,
      createClient: (text) => {
        const name = (JSON.parse(text) as { clusters: { cluster: { server: string } }[] }).clusters[0]?.cluster.server;
        const client = servers[name ?? ""];
        if (client === undefined) throw new Error(`no server ${name}`);
        return client;
      },
    });
  };
  const names = () => [...store.current.services.values()].map((each) => each.name).sort();
  const states = () => Object.fromEntries(remotes.status().map(({ id, syncStatus }) => [id, syncStatus]));

  it("shares what a remote cluster has, until its secret goes", async () => {
    own.put(secret("s", { cluster2: kubeconfig("a") }));
    start();
    await remotes.settled;
    expect(states()).toEqual({ cluster2: "synced" });
    expect(remotes.status()[0]?.secretName).toBe("istio-system/s");
    expect(names()).toEqual(["hello"]);
    own.remove(secret("s", {}));
    await soon(() => names().length === 0, "the shards are dropped");
    expect(states()).toEqual({});
    own.put(secret("s", { cluster2: kubeconfig("b") }));
    await soon(() => names().length === 2, "the cluster is back");
  });

  it("ignores its own id, and a second secret until the first has gone", async () => {
    own.put(secret("one", { cluster1: kubeconfig("b"), cluster2: kubeconfig("a") }));
    own.put(secret("two", { cluster2: kubeconfig("b") }));
    start();
    await remotes.settled;
    expect(names()).toEqual(["hello"]);
    own.remove(secret("one", {}));
    await soon(() => names().length === 2, "the second secret serves");
    expect(remotes.status()[0]?.secretName).toBe("istio-system/two");
  });

  it.each([
    ["an empty value", "", "empty"],
    ["no YAML", "{", "not YAML"],
    ["a command", kubeconfig("a", { exec: { command: "sh" } }), "exec"],
    ["a token file", kubeconfig("a", { tokenFile: "/x" }), "tokenFile"],
    ["a certificate file", kubeconfig("a", { "client-certificate": "/x" }), "client-certificate"],
    ["a cloud's auth provider", kubeconfig("a", { "auth-provider": { name: "gcp" } }), "gcp"],
    ["an unknown server", kubeconfig("z"), "no server z"],
  ])("reports %s and goes on with the others", async (_name, value, why) => {
    own.put(secret("s", { bad: value, good: kubeconfig("a") }));
    start();
    await remotes.settled;
    expect(states()).toEqual({ bad: "closed", good: "synced" });
    expect(remotes.status().find(({ id }) => id === "bad")?.message).toContain(why);
  });

  it("takes an inline certificate and oidc", async () => {
    const user = { "client-certificate-data": "x", "auth-provider": { name: "oidc" } };
    own.put(secret("s", { cluster2: kubeconfig("a", user) }));
    start();
    await remotes.settled;
    expect(states()).toEqual({ cluster2: "synced" });
  });

  it("makes the new client before it breaks the old one, and prunes what has gone", async () => {
    own.put(secret("s", { cluster2: kubeconfig("b") }));
    start();
    await remotes.settled;
    servers["a"]?.setDown(true);
    own.put(secret("s", { cluster2: kubeconfig("a") }));
    await soon(() => states()["cluster2"] === "syncing", "the new client starts");
    expect(names()).toEqual(["hello", "more"]);
    expect(servers["b"]?.closed).toBe(false);
    servers["a"]?.setDown(false);
    await soon(() => {
      clock.advance(10_000);
      return states()["cluster2"] === "synced";
    }, "the new client syncs");
    expect(names()).toEqual(["hello"]);
    expect(servers["b"]?.closed).toBe(true);
  });

  it("keeps the old client when the new value is refused", async () => {
    own.put(secret("s", { cluster2: kubeconfig("b") }));
    start();
    await remotes.settled;
    own.put(secret("s", { cluster2: "" }));
    await soon(() => states()["cluster2"] === "closed", "the value is refused");
    expect(remotes.status()[0]?.message).toMatch(/empty.*; the former value of the secret stays in use$/);
    servers["b"]?.put(service("later"));
    await soon(() => {
      clock.advance(1);
      return names().includes("later");
    }, "the old client still serves");
    expect(remotes.clientOf(clusterId("cluster2"))).toBe(servers["b"]);
    own.remove(secret("s", {}));
    await soon(() => remotes.clientOf(clusterId("cluster2")) === undefined, "the client goes with its secret");
    expect(servers["b"]?.closed).toBe(true);
  });

  it("goes on with an old client that syncs before the new one", async () => {
    servers["a"]?.setDown(true);
    servers["b"]?.setDown(true);
    own.put(secret("s", { cluster2: kubeconfig("b") }));
    start();
    await soon(() => states()["cluster2"] === "syncing", "the first client tries");
    own.put(secret("s", { cluster2: kubeconfig("a") }));
    await soon(() => servers["b"]?.closed === false && remotes.status().length === 1, "the second tries too");
    servers["b"]?.setDown(false);
    await soon(() => {
      clock.advance(10_000);
      return names().length === 2;
    }, "the first has synced");
    servers["b"]?.put(service("later"));
    await soon(() => {
      clock.advance(1);
      return names().includes("later");
    }, "the first is followed still");
  });

  it("stops waiting for a silent cluster, and takes it when it answers", async () => {
    servers["a"]?.setDown(true);
    own.put(secret("s", { cluster2: kubeconfig("a") }));
    start();
    await soon(() => states()["cluster2"] === "syncing", "it tries");
    expect(remotes.hasSettled()).toBe(false);
    clock.advance(30_000);
    await remotes.settled;
    expect(states()).toEqual({ cluster2: "timeout" });
    expect(remotes.status()[0]?.message).toContain("30 s");
    servers["a"]?.setDown(false);
    await soon(() => {
      clock.advance(10_000);
      return states()["cluster2"] === "synced";
    }, "it syncs late");
    expect(names()).toEqual(["hello"]);
  });

  it("keeps endpoints of a cluster that falls silent, and says so", async () => {
    own.put(secret("s", { cluster2: kubeconfig("a") }));
    start();
    await remotes.settled;
    servers["a"]?.setDown(true);
    await soon(() => remotes.status()[0]?.message?.includes("does not answer") ?? false, "the silence is told");
    expect(states()).toEqual({ cluster2: "synced" });
    expect(names()).toEqual(["hello"]);
  });

  it("learns the root that the remote workloads trust", async () => {
    servers["a"]?.put({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "istio-ca-root-cert", namespace: "istio-system" },
      data: { "root-cert.pem": "PEM" },
    } as Service);
    own.put(secret("s", { cluster2: kubeconfig("a") }));
    start();
    await remotes.settled;
    await soon(() => remotes.status()[0]?.rootPem === "PEM", "the root is read");
  });
});
