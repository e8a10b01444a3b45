import { describe, expect, it } from "vitest";
import type { EndpointSlice, Endpoint as SliceEndpoint } from "#api/kubernetes/gen/types";
import { clusterId } from "#model/ids";
import { type EndpointContext, endpointsFromSlices, serviceOfSlice } from "./endpoint-slices.ts";
import type { PodFacts } from "./pod-facts.ts";

const pods: Record<string, PodFacts> = {
  injected: {
    name: "injected",
    namespace: "sample",
    node: "node1",
    serviceAccount: "hello",
    workload: "hello-v1",
    labels: { "security.istio.io/tlsMode": "istio", "topology.istio.io/network": "network1", app: "hello" },
  },
  plain: {
    name: "plain",
    namespace: "sample",
    node: "node2",
    serviceAccount: "default",
    workload: "plain",
    labels: {},
  },
};
const context: EndpointContext = {
  cluster: clusterId("c1"),
  clusterNetwork: "",
  meshNetworks: [],
  trustDomain: "td",
  pod: (_namespace, name) => pods[name],
  node: (name) => (name === "node1" ? { region: "r1", zone: "z1" } : undefined),
};
const slice = (endpoints: SliceEndpoint[], more: Partial<EndpointSlice> = {}): EndpointSlice => ({
  metadata: { name: "hello-a", namespace: "sample", labels: { "kubernetes.io/service-name": "hello" } },
  addressType: "IPv4",
  ports: [{ name: "http", port: 8080 }],
  endpoints,
  ...more,
});
const of = (name: string, address: string, conditions = {}): SliceEndpoint => ({
  addresses: [address],
  conditions,
  targetRef: { kind: "Pod", name, namespace: "sample" },
});
const read = (...slices: EndpointSlice[]) => endpointsFromSlices(slices, context);

describe("endpointsFromSlices", () => {
  it("stamps cluster, network, identity, locality and topology labels", () => {
    const [endpoint] = read(slice([of("injected", "10.0.0.1", { ready: true })]));
    expect(endpoint).toMatchObject({
      addresses: ["10.0.0.1"],
      ports: { http: 8080 },
      cluster: "c1",
      network: "network1",
      locality: "r1/z1",
      identity: "spiffe://td/ns/sample/sa/hello",
      tlsMode: "istio",
      health: "healthy",
      workload: "hello-v1",
    });
    expect(endpoint?.labels).toMatchObject({
      app: "hello",
      "topology.istio.io/cluster": "c1",
      "topology.istio.io/network": "network1",
      "topology.kubernetes.io/region": "r1",
      "kubernetes.io/hostname": "node1",
    });
  });

  it.each([
    [{}, "healthy"],
    [{ ready: false }, "unhealthy"],
    [{ ready: true, terminating: true }, "healthy"],
    [{ ready: false, serving: true, terminating: true }, undefined],
  ])("conditions %j mean %s", (conditions, expected) => {
    expect(read(slice([of("plain", "10.0.0.2", conditions)]))[0]?.health).toBe(expected);
  });

  it("leaves out an endpoint whose pod is not known, and takes one that has no pod", () => {
    expect(read(slice([of("unknown", "10.0.0.3")]))).toEqual([]);
    const [bare] = read(slice([{ addresses: ["10.0.0.4"] }]));
    expect(bare).toMatchObject({ identity: "", tlsMode: "disabled", pod: "" });
  });

  it("makes one endpoint of a pod's two families, IPv4 first, whatever the slices are called", () => {
    const six = slice([of("plain", "fd00::1")], { addressType: "IPv6", metadata: { name: "a", namespace: "sample" } });
    const both = read(six, slice([of("plain", "10.0.0.1")]));
    expect(both.map(({ addresses }) => addresses)).toEqual([["10.0.0.1", "fd00::1"]]);
  });

  it("asks meshNetworks only when no label names a network", () => {
    const meshNetworks = [{ network: "n9", fromCidrs: ["10.0.0.0/24"], fromRegistries: [], gateways: [] }];
    const networks = (clusterNetwork: string) =>
      endpointsFromSlices([slice([of("plain", "10.0.0.2"), of("injected", "10.0.0.3")])], {
        ...context,
        clusterNetwork,
        meshNetworks,
      }).map(({ network }) => network);
    expect(networks("")).toEqual(["n9", "network1"]);
    expect(networks("n5")).toEqual(["n5", "network1"]);
  });

  it("does not read slices of host names or of other clusters' exports", () => {
    expect(serviceOfSlice(slice([]))).toBe("hello");
    expect(serviceOfSlice(slice([], { addressType: "FQDN" }))).toBeUndefined();
    const labels = { "multicluster.kubernetes.io/service-name": "hello" };
    expect(serviceOfSlice(slice([], { metadata: { labels } }))).toBeUndefined();
  });
});
