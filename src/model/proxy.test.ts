import { describe, expect, it } from "vitest";
import { proxyFromNode } from "./proxy.ts";

const ID = "sidecar~10.244.0.5~sleep-7d.sample~sample.svc.cluster.local";

describe("proxyFromNode", () => {
  it("reads what the agent says, and falls back to the id", () => {
    const said = proxyFromNode(
      ID,
      {
        CLUSTER_ID: "cluster1",
        NETWORK: "network1",
        REQUESTED_NETWORK_VIEW: "network1, network3",
        INSTANCE_IPS: "10.244.0.5,fd00::5",
        LABELS: { app: "sleep", count: 3 },
        POD_PORTS: '[{"name":"http","containerPort":8080,"protocol":"TCP"}]',
      },
      { region: "r1", zone: "z1" },
    );
    expect(said).toMatchObject({
      type: "sidecar",
      ips: ["10.244.0.5", "fd00::5"],
      cluster: "cluster1",
      network: "network1",
      name: "sleep-7d",
      namespace: "sample",
      requestedNetworkView: ["network1", "network3"],
      labels: { app: "sleep" },
      podPorts: { http: 8080 },
      locality: "r1/z1",
    });
    expect(proxyFromNode(ID)).toMatchObject({ cluster: "", network: "", locality: "", requestedNetworkView: [] });
  });

  it.each([
    ["sidecar~10.0.0.1~a.b", "3 parts"],
    ["sidecar~10.0.0.1~a.b~c~d", "5 parts"],
    ["ztunnel~10.0.0.1~a.b~c", 'type "ztunnel"'],
    ["sidecar~~a.b~c", "not a list of IP addresses"],
    ["sidecar~host~a.b~c", "not a list of IP addresses"],
  ])("refuses %s", (id, why) => {
    expect(() => proxyFromNode(id)).toThrow(why);
  });
});
