import { describe, expect, it } from "vitest";
import { clusterId, kubernetesHostname, serviceKey } from "./ids.ts";
import { type ClusterService, isExportedTo, mergeServices, serviceVips } from "./service.ts";

const hostname = kubernetesHostname("hello", "sample", "cluster.local");
const part = (cluster: string, more: Partial<ClusterService> = {}): ClusterService => ({
  key: serviceKey("sample", hostname),
  hostname,
  name: "hello",
  namespace: "sample",
  cluster: clusterId(cluster),
  ports: [{ name: "http", port: 5000, protocol: "http" }],
  targetPorts: { http: 5000 },
  vips: [`10.96.0.${cluster.length}`],
  resolution: "client-side",
  exportTo: [],
  created: 1,
  selector: {},
  identities: [],
  nodeLocal: false,
  ...more,
});

describe("mergeServices", () => {
  const [c1, c22] = [part("c1"), part("c22", { ports: [], identities: ["spiffe://td/x"], created: 0 })];

  it("lets the own cluster define, whatever the order", () => {
    expect(mergeServices([c22, c1], clusterId("c1"))).toEqual(mergeServices([c1, c22], clusterId("c1")));
    expect(mergeServices([c1, c22], clusterId("c1"))).toMatchObject({ definedBy: "c1", ports: c1.ports, created: 1 });
    expect(mergeServices([c1, c22], clusterId("c22"))).toMatchObject({ definedBy: "c22", ports: [] });
    expect(mergeServices([], clusterId("c1"))).toBeUndefined();
  });

  it("keeps addresses of each cluster and joins identities", () => {
    const merged = mergeServices([c1, c22], clusterId("c1"));
    if (merged === undefined) throw new Error("nothing merged");
    expect(serviceVips(merged, clusterId("c22"))).toEqual(["10.96.0.3"]);
    expect(serviceVips(merged, clusterId("other"))).toEqual(["10.96.0.2"]);
    expect(merged.identities).toEqual(["spiffe://td/x"]);
  });
});

it.each([
  [[], "any", true],
  [["*"], "any", true],
  [["."], "sample", true],
  [["."], "any", false],
  [["~"], "sample", false],
  [["other", "any"], "any", true],
])("exportTo %j shows the service to %s: %s", (exportTo, namespace, expected) => {
  const merged = mergeServices([part("c1", { exportTo })], clusterId("c1"));
  expect(merged !== undefined && isExportedTo(merged, namespace, ["*"])).toBe(expected);
});
