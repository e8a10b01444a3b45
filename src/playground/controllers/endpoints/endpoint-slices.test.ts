import { describe, expect, it } from "vitest";
import type { EndpointSlice, Node, Pod, PodSpec, Service, ServiceSpec } from "#api/kubernetes/gen/types";
import { endpointGroups, familiesOf, planSlices, sliceLabels } from "./endpoint-slices.ts";
import { buildEndpoints } from "./endpoints-object.ts";

const node: Node = { metadata: { name: "n1", labels: { "topology.kubernetes.io/zone": "z1" } } };
const nodeOf = (name: string) => (name === "n1" ? node : undefined);

interface PodOptions {
  ready?: boolean;
  deleting?: boolean;
  phase?: string;
  port?: number;
  spec?: Partial<PodSpec>;
}
function pod(
  name: string,
  ip: string,
  { ready = true, deleting = false, phase = "Running", port = 8080, spec = {} }: PodOptions = {},
): Pod {
  return {
    metadata: {
      namespace: "sample",
      name,
      uid: `uid-${name}`,
      ...(deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { nodeName: "n1", containers: [{ name: "app", ports: [{ name: "web", containerPort: port }] }], ...spec },
    status: { podIP: ip, phase, conditions: [{ type: "Ready", status: ready ? "True" : "False" }] },
  };
}
const service = (spec: ServiceSpec = {}): Service => ({
  metadata: { namespace: "sample", name: "web", uid: "uid-web", labels: { app: "web" } },
  spec: {
    selector: { app: "web" },
    clusterIP: "10.96.1.1",
    ports: [{ name: "http", port: 80, targetPort: "web" }],
    ...spec,
  },
});
const stored = (slices: EndpointSlice[]): EndpointSlice[] =>
  slices.map((slice, index) => ({
    ...slice,
    metadata: { ...slice.metadata, name: `web-${index}`, resourceVersion: "1" },
  }));

describe("endpointGroups", () => {
  it.each([
    ["ready", {}, {}, { ready: true, serving: true, terminating: false }],
    ["not ready", { ready: false }, {}, { ready: false, serving: false, terminating: false }],
    ["ending", { deleting: true }, {}, { ready: false, serving: true, terminating: true }],
    [
      "published though not ready",
      { ready: false },
      { publishNotReadyAddresses: true },
      { ready: true, serving: false, terminating: false },
    ],
  ] as const)("gives a pod that is %s its conditions", (_what, options, spec, conditions) => {
    const [group] = endpointGroups(service(spec), { pods: [pod("a", "10.244.0.1", options)], nodeOf });
    expect(group?.endpoints[0]).toMatchObject({
      addresses: ["10.244.0.1"],
      conditions,
      nodeName: "n1",
      zone: "z1",
      targetRef: { kind: "Pod", name: "a", uid: "uid-a" },
    });
  });

  it("leaves out pods that are finished, have no address, or not the named port", () => {
    const pods = [
      pod("done", "10.244.0.1", { phase: "Succeeded" }),
      pod("early", ""),
      pod("other", "10.244.0.2", { spec: { containers: [{ name: "app" }] } }),
    ];
    expect(endpointGroups(service(), { pods, nodeOf })).toEqual([]);
  });

  it("makes one group for each number behind a named port, and reads a sidecar's ports", () => {
    const sidecar = {
      initContainers: [{ name: "proxy", restartPolicy: "Always", ports: [{ name: "web", containerPort: 15006 }] }],
      containers: [{ name: "app" }],
    };
    const pods = [
      pod("a", "10.244.0.1"),
      pod("b", "10.244.0.2", { port: 9090 }),
      pod("c", "10.244.0.3", { spec: sidecar }),
    ];
    expect(endpointGroups(service(), { pods, nodeOf }).map(({ ports }) => ports[0]?.port)).toEqual([8080, 9090, 15006]);
  });

  it("names the pod of a headless Service only for that Service", () => {
    const named = (subdomain: string) =>
      endpointGroups(service({ clusterIP: "None" }), {
        pods: [pod("a", "10.244.0.1", { spec: { hostname: "a-0", subdomain } })],
        nodeOf,
      })[0]?.endpoints[0]?.hostname;
    expect(named("web")).toBe("a-0");
    expect(named("other")).toBeUndefined();
  });
});

describe("a Service of two families", () => {
  const dual = (name: string, ...ips: string[]): Pod => {
    const one = pod(name, ips[0] ?? "");
    return { ...one, status: { ...one.status, podIPs: ips.map((ip) => ({ ip })) } };
  };
  const pods = [dual("a", "10.244.0.1", "fd44::1"), dual("b", "10.244.0.2")];
  const planOf = (ipFamilies: string[], existing: EndpointSlice[] = []) => {
    const wanted = service({ ipFamilies });
    const groups = new Map(familiesOf(wanted).map((one) => [one, endpointGroups(wanted, { pods, nodeOf }, one)]));
    return planSlices(wanted, groups, existing);
  };
  const addresses = (slices: EndpointSlice[]) =>
    slices.map(({ addressType, endpoints }) => [addressType, endpoints?.flatMap((each) => each.addresses)]);

  it("has slices of each, with the pods that have such an address", () => {
    expect(addresses(planOf(["IPv6", "IPv4"]).create)).toEqual([
      ["IPv6", ["fd44::1"]],
      ["IPv4", ["10.244.0.1", "10.244.0.2"]],
    ]);
  });

  it("keeps the slices of one family and loses those of the other when it gives that up", () => {
    const before = stored(planOf(["IPv4", "IPv6"]).create);
    const { create, update, remove } = planOf(["IPv4"], before);
    expect([create, update, addresses(remove)]).toEqual([[], [], [["IPv6", ["fd44::1"]]]]);
    expect(addresses(planOf(["IPv6"], before).remove)).toEqual([["IPv4", ["10.244.0.1", "10.244.0.2"]]]);
  });
});

describe("planSlices", () => {
  const plan = (pods: Pod[], existing: EndpointSlice[]) =>
    planSlices(service(), new Map([["IPv4", endpointGroups(service(), { pods, nodeOf })]]), existing);

  it("makes an empty slice for a Service without pods, then reuses it, then leaves it alone", () => {
    const first = plan([], []);
    expect(first.create).toMatchObject([
      { endpoints: [], ports: [], metadata: { generateName: "web-", labels: sliceLabels(service()) } },
    ]);
    const second = plan([pod("a", "10.244.0.1")], stored(first.create));
    expect(second).toMatchObject({
      create: [],
      remove: [],
      update: [{ metadata: { name: "web-0" }, ports: [{ name: "http", port: 8080 }] }],
    });
    const third = plan([pod("a", "10.244.0.1")], second.update);
    expect(third).toEqual({ create: [], update: [], remove: [] });
  });

  it("puts at most 100 endpoints into a slice and removes those that are too many", () => {
    const pods = Array.from({ length: 150 }, (_, index) =>
      pod(`p${String(index).padStart(3, "0")}`, `10.244.1.${index}`),
    );
    const { create } = plan(pods, []);
    expect(create.map(({ endpoints }) => endpoints.length)).toEqual([100, 50]);
    const { remove, update } = plan(pods.slice(100), stored(create));
    expect(remove).toHaveLength(1);
    expect(update).toEqual([]);
  });

  it("owns its slices by the Service, so that they go with it", () => {
    expect(plan([], []).create[0]?.metadata?.ownerReferences).toMatchObject([
      { kind: "Service", name: "web", controller: true },
    ]);
  });
});

describe("buildEndpoints", () => {
  it("tells ready from not ready, and leaves out what is ending", () => {
    const pods = [
      pod("a", "10.244.0.1"),
      pod("b", "10.244.0.2", { ready: false }),
      pod("c", "10.244.0.3", { deleting: true }),
    ];
    const { subsets } = buildEndpoints(service(), endpointGroups(service(), { pods, nodeOf }));
    expect(subsets).toMatchObject([
      {
        addresses: [{ ip: "10.244.0.1" }],
        notReadyAddresses: [{ ip: "10.244.0.2" }],
        ports: [{ name: "http", port: 8080 }],
      },
    ]);
  });

  it("has one subset for the ports of the very same addresses", () => {
    const ports = [
      { name: "http", port: 80, targetPort: "web" },
      { name: "admin", port: 81, targetPort: 9000 },
      { name: "metrics", port: 82, targetPort: 9001 },
    ];
    const pods = [pod("a", "10.244.0.1"), pod("b", "10.244.0.2", { port: 9090 })];
    const wanted = service({ ports });
    const { subsets = [] } = buildEndpoints(wanted, endpointGroups(wanted, { pods, nodeOf }));
    const told = subsets.map(({ addresses = [], ports: own = [] }) => [
      addresses.map(({ ip }) => ip).join(),
      own.map(({ name, port }) => `${name}:${port}`).join(),
    ]);
    expect(told.sort()).toEqual([
      ["10.244.0.1,10.244.0.2", "admin:9000,metrics:9001"],
      ["10.244.0.1", "http:8080"],
      ["10.244.0.2", "http:9090"],
    ]);
  });

  it("keeps a thousand addresses at most, ready ones first, and says so", () => {
    const pods = Array.from({ length: 1_100 }, (_, index) =>
      pod(`p${index}`, `10.${index >> 8}.${index & 255}.1`, { ready: index >= 200 }),
    );
    const { metadata, subsets } = buildEndpoints(service(), endpointGroups(service(), { pods, nodeOf }));
    expect(metadata?.annotations).toEqual({ "endpoints.kubernetes.io/over-capacity": "truncated" });
    expect(subsets?.map(({ addresses, notReadyAddresses }) => [addresses?.length, notReadyAddresses?.length])).toEqual([
      [900, 100],
    ]);
  });
});
