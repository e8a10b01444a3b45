// The order in which things come must leave no trace; each case is one order that went, or could go, wrong.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EndpointSlice, Namespace, Pod, Service } from "#api/kubernetes/gen/types";
import { systemClock } from "#base/clock";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { clusterId, hostname, serviceKey } from "#model/ids";
import { FakeKubeClient } from "../../tests/kit/fake-kube-client.ts";
import { type ClusterWatch, watchCluster } from "./cluster-watch.ts";
import { MeshStore } from "./mesh-store.ts";

const KEY = serviceKey("sample", hostname("hello.sample.svc.cluster.local"));

const namespace = (labels: Record<string, string> = {}): Namespace => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "istio-system", labels },
});
const service = (ports: readonly string[] = ["http"], over: object = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "hello", namespace: "sample" },
  spec: { clusterIP: "10.96.0.9", clusterIPs: ["10.96.0.9"], ports: ports.map((name, i) => ({ name, port: 80 + i })) },
  ...over,
});
const pod = (name: string, labels: Record<string, string> = { "security.istio.io/tlsMode": "istio" }): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "sample", labels },
  spec: { containers: [], serviceAccountName: `account-of-${name}` },
});
const slice = (pods: Readonly<Record<string, string>>, name = "hello-1"): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name, namespace: "sample", labels: { "kubernetes.io/service-name": "hello" } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080, protocol: "TCP" }],
  endpoints: Object.entries(pods).map(([podName, address]) => ({
    addresses: [address],
    conditions: { ready: true },
    targetRef: { kind: "Pod", name: podName, namespace: "sample" },
  })),
});
const gateway = (ingress: { ip: string }[]): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "gw", namespace: "istio-system", labels: { "topology.istio.io/network": "n1" } },
  spec: { type: "LoadBalancer", ports: [{ name: "tls", port: 15443 }] },
  status: { loadBalancer: { ingress } },
});

let store: MeshStore;
let life: AbortController;
let one: FakeKubeClient;
let two: FakeKubeClient;
let watches: readonly ClusterWatch[];

beforeEach(async () => {
  life = new AbortController();
  store = new MeshStore({
    ownCluster: clusterId("c1"),
    systemNamespace: "istio-system",
    domain: "cluster.local",
    clock: systemClock,
  });
  [one, two] = [new FakeKubeClient([namespace()]), new FakeKubeClient([namespace()])];
  const common = { store, signal: life.signal, logger: silentLogger(), clock: systemClock };
  watches = [
    watchCluster({ ...common, client: one, clusterId: clusterId("c1") }),
    watchCluster({ ...common, client: two, clusterId: clusterId("c2") }),
  ];
  await Promise.all(watches.map(({ synced }) => synced));
});
afterEach(() => life.abort());

const soon = (condition: () => boolean, reason: string) =>
  until(condition, { reason, timeoutMs: 60_000, intervalMs: 2 });
const endpoints = () =>
  [...(store.current.endpoints.get(KEY)?.values() ?? [])].flatMap((shard) =>
    shard.map(({ addresses, pod: name, network }) => `${name} ${addresses[0]} ${network}`.trim()),
  );

describe("watchCluster", () => {
  it.each([
    ["service, pod, slice", [service(), pod("a"), slice({ a: "10.0.0.1" })]],
    ["slice, pod, service", [slice({ a: "10.0.0.1" }), pod("a"), service()]],
    ["slice, service, pod", [slice({ a: "10.0.0.1" }), service(), pod("a")]],
    ["pod, slice, service", [pod("a"), slice({ a: "10.0.0.1" }), service()]],
  ])("joins what comes as %s", async (_order, objects) => {
    for (const object of objects) {
      one.put(object);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await soon(() => endpoints().join() === "a 10.0.0.1", "the endpoint is there");
  });

  it("offers no endpoint whose pod it does not know, for its identity is not known either", async () => {
    for (const object of [service(), pod("a"), slice({ a: "10.0.0.1", stranger: "10.0.0.2" })]) one.put(object);
    await soon(() => endpoints().length > 0, "the known pod is there");
    expect(endpoints()).toEqual(["a 10.0.0.1"]);
  });

  it("gives an address that a new pod took over the new pod's identity", async () => {
    for (const object of [service(), pod("a"), slice({ a: "10.0.0.1" })]) one.put(object);
    await soon(() => endpoints().join() === "a 10.0.0.1", "the first pod is there");
    one.put(pod("b"));
    one.put(slice({ b: "10.0.0.1" }));
    one.remove(pod("a"));
    await soon(() => endpoints().join() === "b 10.0.0.1", "the second pod has its address");
    const [endpoint] = store.current.endpoints.get(KEY)?.get(clusterId("c1")) ?? [];
    expect(endpoint?.identity).toBe("spiffe://cluster.local/ns/sample/sa/account-of-b");
  });

  it("takes a network from the system namespace's label that comes later, and not over the pod's own", async () => {
    one.put(service());
    one.put(pod("a"));
    one.put(pod("b", { "topology.istio.io/network": "own" }));
    one.put(slice({ a: "10.0.0.1", b: "10.0.0.2" }));
    await soon(() => endpoints().length === 2, "both are there");
    expect(endpoints()).toEqual(["a 10.0.0.1", "b 10.0.0.2 own"]);
    one.put(namespace({ "topology.istio.io/network": "n1" }));
    await soon(() => endpoints()[0] === "a 10.0.0.1 n1", "the label counts");
    expect(endpoints()[1]).toBe("b 10.0.0.2 own");
    one.put(namespace());
    await soon(() => endpoints()[0] === "a 10.0.0.1", "the label has gone");
  });

  it("takes a gateway when its address comes, and drops it with the address", async () => {
    const gateways = () => store.current.networks.gateways.map(({ address }) => address);
    one.put(gateway([]));
    await soon(() => store.current.networks.unusable[0]?.reason === "no-address", "the gateway waits");
    one.put(gateway([{ ip: "172.30.0.1" }]));
    await soon(() => gateways().join() === "172.30.0.1", "the address is there");
    expect(store.current.networks.unusable).toEqual([]);
    one.put(gateway([]));
    await soon(() => gateways().length === 0, "the address has gone");
  });

  it("moves the definition of a service on when the own cluster deletes it", async () => {
    one.put(service(["http"]));
    two.put(service(["http", "grpc"], { spec: { clusterIP: "10.96.0.77", ports: [{ name: "grpc", port: 81 }] } }));
    for (const object of [pod("z"), slice({ z: "10.0.0.9" })]) two.put(object);
    const merged = () => store.current.services.get(KEY);
    await soon(() => merged()?.clusters.size === 2 && endpoints().length === 1, "both clusters have it");
    expect(merged()).toMatchObject({ definedBy: "c1", ports: [{ name: "http" }] });
    one.remove(service());
    await soon(() => merged()?.definedBy === "c2", "the other cluster defines it");
    expect(merged()?.ports.map(({ name }) => name)).toEqual(["grpc"]);
    expect(endpoints()).toEqual(["z 10.0.0.9"]);
    two.remove(service());
    await soon(() => merged() === undefined, "nobody has it");
    expect(endpoints()).toEqual([]);
  });

  it.each([["the pod"], ["the slice"]])("forgets a pod that goes, %s first", async (first) => {
    one.put(service());
    for (let i = 0; i < 20; i++) {
      one.put(pod(`p${i}`));
      one.put(slice({ [`p${i}`]: "10.0.0.1" }));
      await soon(() => endpoints().join() === `p${i} 10.0.0.1`, "the pod serves");
      if (first === "the pod") one.remove(pod(`p${i}`));
      one.put(slice({}));
      await soon(() => endpoints().length === 0, "the pod serves no more");
      one.remove(pod(`p${i}`));
    }
    await soon(() => watches[0]?.rememberedPods() === 0, "none is remembered");
  });
});
