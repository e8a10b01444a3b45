import { expect, it } from "vitest";
import type { Service } from "#api/kubernetes/gen/types";
import type { Endpoint, Health } from "#model/endpoint";
import { clusterId, hostname, networkId, serviceKey } from "#model/ids";
import { GatewayStore } from "./gateway-store.ts";
import { gatewaysFromMeshNetworks, gatewaysFromService } from "./network-gateways.ts";

const context = { cluster: clusterId("c2"), domain: "cluster.local", meshNetworks: [] };
const service = (more: { labels?: Record<string, string>; spec?: object; ingress?: object[] }): Service => ({
  metadata: { name: "gw", namespace: "istio-system", labels: { "topology.istio.io/network": "n2", ...more.labels } },
  spec: { type: "LoadBalancer", ports: [{ name: "tls", port: 15443 }], ...more.spec },
  status: { loadBalancer: { ingress: (more.ingress ?? [{ ip: "1.1.1.1" }]) as { ip: string }[] } },
});
const port = "networking.istio.io/gatewayPort";

it.each([
  ["an address", service({}), ["1.1.1.1:15443"], []],
  [
    "two addresses and an external one",
    service({ ingress: [{ ip: "2.2.2.2" }, { ip: "1.1.1.1" }], spec: { externalIPs: ["3.3.3.3"] } }),
    ["1.1.1.1:15443", "2.2.2.2:15443", "3.3.3.3:15443"],
    [],
  ],
  ["no address yet", service({ ingress: [] }), [], ["no-address"]],
  ["another port", service({ labels: { [port]: "443" }, spec: { ports: [{ port: 443 }] } }), ["1.1.1.1:443"], []],
  ["a port it does not expose", service({ labels: { [port]: "443" } }), [], ["port-not-exposed"]],
  ["a port that is none", service({ labels: { [port]: "tls" } }), [], ["port-invalid"]],
])("a service with %s", (_name, object, gateways, reasons) => {
  const facts = gatewaysFromService(object, context);
  expect(facts?.gateways.map(({ address, port: number }) => `${address}:${number}`)).toEqual(gateways);
  expect(facts?.unusable.map(({ reason }) => reason)).toEqual(reasons);
  expect([...(facts?.gateways ?? []), ...(facts?.unusable ?? [])].every(({ network }) => network === "n2")).toBe(true);
});

it("keeps host names apart, in one form", () => {
  const facts = gatewaysFromService(
    service({ ingress: [{ hostname: "LB.example.org." }, { hostname: "lb.example.org" }, { ip: "1.1.1.1" }] }),
    context,
  );
  expect(facts?.hosts.map(({ host, port: number }) => `${host}:${number}`)).toEqual(["lb.example.org:15443"]);
  expect(facts?.gateways.map(({ address }) => address)).toEqual(["1.1.1.1"]);
});

it("is nothing for a service without label that meshNetworks does not name", () => {
  const plain = { ...service({}), metadata: { name: "gw", namespace: "istio-system" } };
  expect(gatewaysFromService(plain, context)).toBeUndefined();
  const gateways = [{ address: "", registryServiceName: "gw.istio-system.svc.cluster.local", port: 15443 }];
  const meshNetworks = [{ network: "n7", fromCidrs: [], fromRegistries: [], gateways }];
  expect(gatewaysFromService(plain, { ...context, meshNetworks })?.gateways).toMatchObject([
    { network: "n7", address: "1.1.1.1" },
  ]);
});

it("takes addresses of meshNetworks for no cluster in particular", () => {
  const gateways = [
    { address: "9.9.9.9", registryServiceName: "", port: 15443 },
    { address: "lb.example.org", registryServiceName: "", port: 15443 },
  ];
  const facts = gatewaysFromMeshNetworks([{ network: "n1", fromCidrs: [], fromRegistries: [], gateways }]);
  expect(facts.gateways).toMatchObject([{ cluster: "", network: "n1", address: "9.9.9.9" }]);
  expect(facts.hosts).toMatchObject([{ cluster: "", network: "n1", host: "lb.example.org", port: 15443 }]);
});

it("counts one door once, however many objects name it", () => {
  const store = new GatewayStore(() => []);
  const facts = gatewaysFromService(service({}), context);
  store.apply(clusterId("c2"), "istio-system/gw", facts);
  store.apply(clusterId("c2"), "istio-system/again", facts);
  store.apply(
    clusterId("c3"),
    "istio-system/gw",
    gatewaysFromService(service({}), { ...context, cluster: clusterId("c3") }),
  );
  expect(store.networks.gateways.map(({ cluster, address }) => `${cluster} ${address}`)).toEqual([
    "c2 1.1.1.1",
    "c3 1.1.1.1",
  ]);
});

it("has another epoch when other pods stand behind the address, and no other time", () => {
  const c2 = clusterId("c2");
  const behind = serviceKey("istio-system", hostname("gw.istio-system.svc.cluster.local"));
  let endpoints: readonly Endpoint[] = [];
  const store = new GatewayStore((cluster, asked) => (cluster === c2 && asked === behind ? endpoints : []));
  const now = (...pods: (readonly [pod: string, health: Health])[]) => {
    endpoints = pods.map(([pod, health]) => gatewayPod(pod, health));
    const changes = store.applyEndpoints(c2, behind);
    return { epoch: store.networks.gateways[0]?.epoch, changes: changes.length };
  };
  store.apply(c2, "istio-system/gw", gatewaysFromService(service({}), context));
  expect(store.networks.gateways[0]?.epoch).toBeUndefined();
  const first = now(["a", "healthy"]);
  expect(first.epoch).toMatch(/^[0-9a-f]{8}$/);
  expect(first.changes).toBe(1);
  expect(now(["b", "unhealthy"], ["a", "healthy"])).toEqual({ epoch: first.epoch, changes: 0 });
  const both = now(["b", "healthy"], ["a", "healthy"]);
  const second = now(["b", "healthy"], ["a", "draining"]);
  expect(new Set([first.epoch, both.epoch, second.epoch]).size).toBe(3);
  expect(now(["b", "healthy"])).toEqual({ epoch: second.epoch, changes: 0 });
  expect(now(["a", "healthy"])).toEqual(first);
});

function gatewayPod(pod: string, health: Health): Endpoint {
  return {
    addresses: [`10.0.0.${pod.charCodeAt(0)}`],
    ports: { tls: 15443 },
    cluster: clusterId("c2"),
    network: networkId("n2"),
    locality: "",
    identity: "",
    tlsMode: "istio",
    health,
    weight: 1,
    labels: {},
    node: "",
    namespace: "istio-system",
    workload: "gw",
    pod,
  };
}
