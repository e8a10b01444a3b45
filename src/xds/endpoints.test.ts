import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { HealthStatus } from "#envoy/gen/envoy/config/core/v3/health_check_pb";
import { ClusterLoadAssignmentSchema } from "#envoy/gen/envoy/config/endpoint/v3/endpoint_pb";
import type { Endpoint } from "#model/endpoint";
import { clusterId, networkId } from "#model/ids";
import { inputKey } from "./endpoint-cache.ts";
import type { EndpointInput } from "./endpoint-placement.ts";
import { buildEndpoints, explainEndpoints } from "./endpoints.ts";

const endpoint = (address: string, cluster: string, network: string, more: Partial<Endpoint> = {}): Endpoint => ({
  addresses: [address],
  ports: { http: 8080 },
  cluster: clusterId(cluster),
  network: networkId(network),
  locality: "",
  identity: "spiffe://cluster.local/ns/sample/sa/default",
  tlsMode: "istio",
  health: "healthy",
  weight: 1,
  labels: {},
  node: "",
  namespace: "sample",
  workload: "hello",
  pod: address,
  ...more,
});

const gateway = (network: string, cluster: string, address: string) => ({
  network: networkId(network),
  cluster: clusterId(cluster),
  address,
  port: 15443,
  source: "test",
});

const input = (endpoints: readonly Endpoint[], more: Partial<EndpointInput> = {}): EndpointInput => ({
  clusterName: "outbound|80||hello",
  portName: "http",
  shards: new Map(
    [...new Set(endpoints.map((each) => each.cluster))].map((cluster) => [
      cluster,
      endpoints.filter((each) => each.cluster === cluster),
    ]),
  ),
  subset: undefined,
  client: {
    network: networkId("n1"),
    onlyCluster: undefined,
    onlyNode: undefined,
    networkView: [],
    ipv4: true,
    ipv6: false,
  },
  gateways: [],
  mtls: { autoMtls: true, tlsMode: undefined, peerAuthentications: [], rootNamespace: "istio-system" },
  passthrough: false,
  ...more,
});

/** `address:port=weight` in order, groups joined by `|`. */
function text(given: EndpointInput): string {
  const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, buildEndpoints(given));
  return endpoints
    .map((group) =>
      group.lbEndpoints
        .map(({ hostIdentifier, loadBalancingWeight, healthStatus }) => {
          if (hostIdentifier.case !== "endpoint") throw new Error("no endpoint");
          const address = hostIdentifier.value.address?.address;
          if (address?.case !== "socketAddress") throw new Error("no address");
          const down = healthStatus === HealthStatus.HEALTHY ? "" : "!";
          return `${address.value.address}:${address.value.portSpecifier.value}=${loadBalancingWeight}${down}`;
        })
        .join(" "),
    )
    .join("|");
}

const reasons = (given: EndpointInput) => explainEndpoints(given).map(({ reason }) => reason);

describe("split horizon", () => {
  const gateways = [
    gateway("n2", "c2a", "2.2.2.2"),
    gateway("n2", "c2b", "2.2.2.20"),
    gateway("n2", "c2b", "2.2.2.21"),
  ];

  it("scales weights so that each divides evenly, and takes the cluster's own gateways", () => {
    const endpoints = [
      endpoint("10.0.0.1", "c1", "n1"),
      endpoint("10.0.0.1", "c2a", "n2"),
      endpoint("10.0.0.1", "c2b", "n2"),
      endpoint("10.0.0.2", "c2b", "n2"),
    ];
    expect(text(input(endpoints, { gateways }))).toBe(
      "10.0.0.1:8080=6 2.2.2.2:15443=6 2.2.2.20:15443=6 2.2.2.21:15443=6",
    );
  });

  it("makes Envoy take a gateway with other pods for another host", () => {
    const nameWith = (epoch: string | undefined) => {
      const one = [{ ...gateway("n2", "c2a", "2.2.2.2"), ...(epoch === undefined ? {} : { epoch }) }];
      const given = input([endpoint("10.0.0.1", "c2a", "n2")], { gateways: one });
      const { endpoints } = fromBinary(ClusterLoadAssignmentSchema, buildEndpoints(given));
      const host = endpoints[0]?.lbEndpoints[0]?.hostIdentifier;
      return host?.case === "endpoint" ? host.value.hostname : "no endpoint";
    };
    expect([undefined, "a1", "b2"].map(nameWith)).toEqual(["", "epoch-a1", "epoch-b2"]);
  });

  it("shares all gateways of the network when the cluster has none", () => {
    expect(text(input([endpoint("10.0.0.1", "c3", "n2")], { gateways }))).toBe(
      "2.2.2.2:15443=2 2.2.2.20:15443=2 2.2.2.21:15443=2",
    );
  });

  it("keeps localities apart, and a gateway in the first that needs it with the weight of all", () => {
    const endpoints = [
      endpoint("10.0.0.1", "c1", "n1", { locality: "r1/z1" }),
      endpoint("10.0.0.1", "c2a", "n2", { locality: "r2/z1" }),
      endpoint("10.0.0.2", "c2a", "n2", { locality: "r2/z2", weight: 2 }),
    ];
    const one = [gateway("n2", "c2a", "2.2.2.2")];
    expect(text(input(endpoints, { gateways: one }))).toBe("10.0.0.1:8080=1|2.2.2.2:15443=3");
  });

  it.each([
    ["a network without gateway", endpoint("10.0.0.1", "c9", "n9"), {}, "no-gateway-for-network"],
    [
      "a pod without sidecar",
      endpoint("10.0.0.1", "c2a", "n2", { tlsMode: "disabled" }),
      {},
      "no-mtls-across-networks",
    ],
    ["a pod that is not ready", endpoint("10.0.0.1", "c2a", "n2", { health: "unhealthy" }), {}, "not-ready"],
    ["a pod without the port", endpoint("10.0.0.1", "c2a", "n2", { ports: { other: 1 } }), {}, "port-name-absent"],
    [
      "a subset it is not of",
      endpoint("10.0.0.1", "c1", "n1"),
      { subset: { name: "v1", labels: { v: "1" } } },
      "subset-mismatch",
    ],
    ["a pod of the other family", endpoint("fd00::1", "c1", "n1"), {}, "no-address-family"],
  ] as const)("withholds %s and says why", (_name, each, more, reason) => {
    const given = input([each], { gateways, ...more });
    expect(text(given)).toBe("");
    expect(reasons(given)).toEqual([reason]);
    expect(explainEndpoints(given)[0]?.message).not.toBe(reason);
  });

  it("dials directly what is in the same network or in none, ready or not", () => {
    const endpoints = [
      endpoint("10.0.0.1", "c1", "n1", { tlsMode: "disabled" }),
      endpoint("10.0.0.2", "c2", ""),
      endpoint("10.0.0.3", "c1", "n1", { health: "unhealthy" }),
    ];
    expect(text(input(endpoints))).toBe("10.0.0.1:8080=1 10.0.0.3:8080=1! 10.0.0.2:8080=1");
  });

  it("counts only ready endpoints on a gateway", () => {
    const endpoints = [endpoint("10.0.0.1", "c2a", "n2"), endpoint("10.0.0.2", "c2a", "n2", { health: "unhealthy" })];
    const given = input(endpoints, { gateways: [gateway("n2", "c2a", "2.2.2.2")] });
    expect(text(given)).toBe("2.2.2.2:15443=1");
    expect(reasons(given)).toEqual(["not-ready"]);
  });

  it("sends a client of unknown network through gateways where there are some", () => {
    const client = { ...input([]).client, network: networkId("") };
    const endpoints = [endpoint("10.0.0.1", "c2a", "n2"), endpoint("10.0.0.2", "c1", "n1")];
    const one = [gateway("n2", "c2a", "2.2.2.2")];
    expect(text(input(endpoints, { client, gateways: one }))).toBe("10.0.0.2:8080=1 2.2.2.2:15443=1");
  });

  it("shows a gateway only what takes mesh mTLS in its own network", () => {
    const endpoints = [
      endpoint("10.0.0.1", "c1", "n1"),
      endpoint("10.0.0.2", "c1", "n1", { tlsMode: "disabled" }),
      endpoint("10.0.0.3", "c2a", "n2"),
    ];
    const client = { ...input([]).client, networkView: [networkId("n1")] };
    const given = input(endpoints, { client, gateways, passthrough: true });
    expect(text(given)).toBe("10.0.0.1:8080=6");
    expect(reasons(given)).toEqual(["no-mtls-across-networks", "not-in-network-view"]);
    const unknown = input(endpoints, {
      client: { ...client, network: networkId(""), networkView: [] },
      gateways,
      passthrough: true,
    });
    expect(text(unknown), "a gateway of unknown network never leads to another gateway").toBe("10.0.0.1:8080=6");
  });
});

it("gives equal bytes for equal input, and different keys for different input", () => {
  const endpoints = [endpoint("10.0.0.1", "c1", "n1"), endpoint("10.0.0.2", "c1", "n1")];
  const given = input(endpoints);
  expect(buildEndpoints({ ...given })).toEqual(buildEndpoints(given));
  expect(inputKey({ ...given })).toBe(inputKey(given));
  expect(inputKey({ ...given, passthrough: true })).not.toBe(inputKey(given));
  expect(inputKey({ ...given, shards: new Map(given.shards) })).not.toBe(inputKey(given));
});
