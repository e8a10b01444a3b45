import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EndpointSlice, Service } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { healthAnswer, healthChecks } from "./health-check-ports.ts";
import { installedAfter, NOTHING_INSTALLED, parseSave, renderRestore } from "./iptables-rules.ts";
import {
  buildServiceRules,
  CHAIN_PREFIX,
  renderServiceRules,
  type ServiceRulesConfig,
} from "./render-service-rules.ts";
import { servicePorts } from "./service-ports.ts";

const config: ServiceRulesConfig = { address: "172.30.0.11", serviceCIDR: "10.96.0.0/16", dnsAddress: "10.96.0.10" };

function service(name: string, spec: Service["spec"], loadBalancerIP?: string): Service {
  const status = loadBalancerIP === undefined ? {} : { loadBalancer: { ingress: [{ ip: loadBalancerIP }] } };
  return { metadata: { namespace: "sample", name }, spec: { ports: [{ name: "http", port: 80 }], ...spec }, status };
}

function slice(name: string, addresses: string[], conditions = {}): EndpointSlice {
  return {
    metadata: { namespace: "sample", name: `${name}-x`, labels: { "kubernetes.io/service-name": name } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((address) => ({ addresses: [address], conditions })),
  };
}

describe("servicePorts", () => {
  const endpoints = (slices: EndpointSlice[]) =>
    servicePorts([service("web", { clusterIP: "10.96.1.1" })], slices)[0]?.endpoints;

  it("takes ready endpoints, an absent condition meaning ready", () => {
    expect(endpoints([slice("web", ["10.244.0.2", "10.244.0.1"])])).toEqual(["10.244.0.1:8080", "10.244.0.2:8080"]);
    expect(endpoints([slice("web", ["10.244.0.1"], { ready: false })])).toEqual([]);
  });

  it("falls back to endpoints that still serve while they end, only when none is ready", () => {
    const ending = slice("web", ["10.244.0.9"], { ready: false, serving: true, terminating: true });
    expect(endpoints([ending])).toEqual(["10.244.0.9:8080"]);
    expect(endpoints([ending, slice("web", ["10.244.0.1"])])).toEqual(["10.244.0.1:8080"]);
  });

  it("leaves out what is no address, alone", () => {
    expect(endpoints([slice("web", ["10.244.0.1", "10.244.0.1; -j ACCEPT", "::1"])])).toEqual(["10.244.0.1:8080"]);
    const [headless] = servicePorts([service("db", { clusterIP: "None" })], [slice("db", ["10.244.0.1"])]);
    expect(headless?.clusterIPs).toEqual([]);
  });
});

describe("renderServiceRules", () => {
  it("sends every address of a Service to one chain and shares it equally", () => {
    const spec = {
      clusterIP: "10.96.1.1",
      type: "LoadBalancer",
      externalIPs: ["172.30.0.200"],
      loadBalancerSourceRanges: ["172.30.0.0/24"],
    };
    const text = renderServiceRules(
      [service("web", { ...spec, ports: [{ name: "http", port: 80, nodePort: 30080 }] }, "172.30.0.100")],
      [slice("web", ["10.244.0.1", "10.244.0.2", "10.244.0.3"])],
      config,
    );
    const entries = text.split("\n").filter((line) => line.startsWith("-A ISTHMUS-SERVICES"));
    expect(entries.map((line) => line.replace(/ -m tcp.*/, ""))).toEqual([
      "-A ISTHMUS-SERVICES -d 10.96.1.1/32 -p tcp",
      "-A ISTHMUS-SERVICES -d 172.30.0.200/32 -p tcp",
      "-A ISTHMUS-SERVICES -s 172.30.0.0/24 -d 172.30.0.100/32 -p tcp",
      "-A ISTHMUS-SERVICES -d 172.30.0.11/32 -p tcp",
    ]);
    expect(entries[3]).toContain("--dport 30080");
    expect([...text.matchAll(/--probability (\S+)/g)].map((match) => match[1])).toEqual([
      "0.3333333333",
      "0.5000000000",
    ]);
    expect(text).toContain("-j DNAT --to-destination 10.244.0.2:8080");
  });

  it("does not depend on the order of objects", () => {
    const a = service("a", { clusterIP: "10.96.1.1" });
    const b = service("b", { clusterIP: "10.96.1.2" });
    const slices = [slice("a", ["10.244.0.1"]), slice("b", ["10.244.0.2"])];
    expect(renderServiceRules([a, b], slices, config)).toBe(renderServiceRules([b, a], slices.reverse(), config));
  });

  it("keeps calls from outside on this node's endpoints where the policy says so", () => {
    const endpoints = [
      { addresses: ["10.244.0.1"], nodeName: "here" },
      { addresses: ["10.245.0.1"], nodeName: "there" },
    ];
    const slices = [{ ...slice("web", []), endpoints }];
    const ports = [{ name: "http", port: 80, nodePort: 30080 }];
    const spec = { clusterIP: "10.96.1.1", type: "LoadBalancer", externalTrafficPolicy: "Local", ports };
    const web = service("web", { ...spec, healthCheckNodePort: 31000 });
    const [facts] = servicePorts([web], slices, { nodeName: "here" });
    expect([facts?.endpoints, facts?.externalEndpoints]).toEqual([
      ["10.244.0.1:8080", "10.245.0.1:8080"],
      ["10.244.0.1:8080"],
    ]);
    const text = renderServiceRules([web], slices, { ...config, nodeName: "here" });
    expect(text).toMatch(/-d 10\.96\.1\.1\/32 .* -j ISTHMUS-SVC-/);
    expect(text).toMatch(/--dport 30080 .* -j ISTHMUS-EXT-/);
    const [inside] = servicePorts([service("web", { internalTrafficPolicy: "Local" })], slices, { nodeName: "there" });
    expect(inside?.endpoints).toEqual(["10.245.0.1:8080"]);
    const checks = (nodeName: string) => healthChecks([web], slices, { nodeName }).map(healthAnswer);
    expect(checks("here")).toEqual([
      {
        status: 200,
        body: '{"service":{"namespace":"sample","name":"web"},"localEndpoints":1,"serviceProxyHealthy":true}',
      },
    ]);
    expect(checks("elsewhere")[0]?.status).toBe(503);
  });

  it("has rules of its own for IPv6, from slices of IPv6", () => {
    const six = { ...slice("web", ["fd44::1"]), addressType: "IPv6" };
    const spec = { clusterIP: "10.96.1.1", clusterIPs: ["10.96.1.1", "fd96::1"] };
    const v6: ServiceRulesConfig = { address: "fd30::11", serviceCIDR: "fd96::/112", dnsAddress: "", family: "IPv6" };
    const text = renderServiceRules([service("web", spec)], [slice("web", ["10.244.0.1"]), six], v6);
    expect(text).toContain("-d fd96::1/128 -p tcp -m tcp --dport 80");
    expect(text).toContain("-s fd44::1/128 -j MARK");
    expect(text).toContain("-j DNAT --to-destination [fd44::1]:8080");
    expect(text).not.toContain("10.");
  });

  it("removes chains that a change leaves over, and hooks only once", () => {
    const web = service("web", { clusterIP: "10.96.1.1" });
    const before = buildServiceRules([web], [slice("web", ["10.244.0.1"])], config);
    const after = buildServiceRules([web], [], config);
    expect(renderRestore(before, NOTHING_INSTALLED)).toContain("-I PREROUTING 1 -j ISTHMUS-SERVICES");
    const text = renderRestore(after, installedAfter(before));
    expect(text).not.toContain("-I PREROUTING");
    expect(text.match(/^-X ISTHMUS-S(VC|EP)-/gm)).toHaveLength(2);
  });
});

const mayMakeNamespaces = process.getuid?.() === 0;

/** A node with two pods, and a client on the outer segment, as the playground lays them out. */
describe.skipIf(!mayMakeNamespaces)("the rules in a kernel", { timeout: 60_000 }, () => {
  const id = `svcp${process.pid}`;
  const ns = { node: `${id}n`, outer: `${id}o`, pod1: `${id}1`, pod2: `${id}2` };
  const servers: ChildProcess[] = [];
  const sh = (script: string) => execFileSync("bash", ["-ec", script], { encoding: "utf8" });
  const pod = (index: 1 | 2) => `
    ip -n ${ns.node} link add v${index} type veth peer name eth0 netns ${ns[`pod${index}`]}
    ip -n ${ns.node} addr add 169.254.1.1/32 dev v${index} scope link; ip -n ${ns.node} link set v${index} up
    ip -n ${ns.node} route add 10.244.0.${index}/32 dev v${index}
    ip -n ${ns[`pod${index}`]} addr add 10.244.0.${index}/32 dev eth0; ip -n ${ns[`pod${index}`]} link set eth0 up
    ip -n ${ns[`pod${index}`]} link set lo up; ip -n ${ns[`pod${index}`]} route add 169.254.1.1 dev eth0 scope link
    ip -n ${ns[`pod${index}`]} route add default via 169.254.1.1 dev eth0`;
  const restore = (text: string) =>
    execFileSync("ip", ["netns", "exec", ns.node, "iptables-restore", "-w", "--noflush"], { input: text });
  const installed = () => parseSave(sh(`ip netns exec ${ns.node} iptables-save`), CHAIN_PREFIX);
  /** The answering pod's number, or curl's exit code: 7 is refused, 28 is silence. */
  const call = (from: keyof typeof ns, target: string) =>
    sh(`ip netns exec ${ns[from]} curl -s --max-time 2 http://${target}/ || echo "code $?"`).trim();
  const calls = (from: keyof typeof ns, target: string, count: number) =>
    new Set(Array.from({ length: count }, () => call(from, target)));

  const web = service("web", { clusterIP: "10.96.1.1", type: "LoadBalancer" }, "172.30.0.100");
  const idle = service("idle", { clusterIP: "10.96.1.2" });
  const sticky = service("web", { clusterIP: "10.96.1.1", sessionAffinity: "ClientIP" });
  const both = slice("web", ["10.244.0.1", "10.244.0.2"]);

  beforeAll(async () => {
    sh(`for n in ${Object.values(ns).join(" ")}; do ip netns add $n; done
      ip -n ${ns.node} link set lo up; ip -n ${ns.node} link add up0 type veth peer name up0 netns ${ns.outer}
      ip -n ${ns.node} addr add 172.30.0.11/24 dev up0; ip -n ${ns.node} link set up0 up
      ip -n ${ns.node} addr add 172.30.0.100/32 dev up0 label up0:lb
      ip -n ${ns.node} route add 10.96.0.0/16 dev up0 src 172.30.0.11
      ip -n ${ns.outer} addr add 172.30.0.12/24 dev up0; ip -n ${ns.outer} link set up0 up
      ip netns exec ${ns.node} sysctl -qw net.ipv4.ip_forward=1
      ${pod(1)}
      ${pod(2)}`);
    for (const index of [1, 2] as const) {
      const server = `require("node:http").createServer((q, s) => s.end("pod${index}")).listen(8080, "0.0.0.0")`;
      servers.push(spawn("ip", ["netns", "exec", ns[`pod${index}`], process.execPath, "-e", server]));
    }
    restore(renderServiceRules([web, idle], [both], config));
    for (const index of [1, 2]) {
      const reason = `pod ${index} answers`;
      await until(() => call("node", `10.244.0.${index}:8080`) === `pod${index}`, { reason, timeoutMs: 30_000 });
    }
  }, 60_000);

  afterAll(() => {
    for (const server of servers) server.kill("SIGKILL");
    sh(`for n in ${Object.values(ns).join(" ")}; do ip netns del $n || true; done`);
  });

  it.each([
    ["a pod to the ClusterIP, itself included", "pod1", "10.96.1.1"],
    ["the node to the ClusterIP", "node", "10.96.1.1"],
    ["the outer segment to the load balancer address", "outer", "172.30.0.100"],
    ["a pod to the load balancer address", "pod2", "172.30.0.100"],
  ] as const)("brings %s to both endpoints", (_what, from, target) => {
    expect(calls(from, target, 24)).toEqual(new Set(["pod1", "pod2"]));
  });

  it.each([
    ["a Service without endpoints", "pod1", "10.96.1.2"],
    ["an address of no Service", "pod1", "10.96.9.9"],
    ["the same from the node", "node", "10.96.1.2"],
    ["a load balancer address on a port of no Service", "outer", "172.30.0.100:8081"],
  ] as const)("refuses at once: %s", (_what, from, target) => {
    expect(call(from, target)).toBe("code 7");
  });

  it.skipIf(!existsSync("/proc/net/if_inet6"))(
    "brings IPv6 calls to IPv6 endpoints, and refuses what nobody serves",
    async () => {
      sh(`ip -n ${ns.node} addr add fe80::1/64 dev v1 nodad; ip -n ${ns.node} route add fd44::1/128 dev v1
      ip -n ${ns.pod1} addr add fd44::1/128 dev eth0 nodad; ip -n ${ns.pod1} route add default via fe80::1 dev eth0
      ip -n ${ns.node} addr add fd30::11/64 dev up0 nodad; ip -n ${ns.node} route add fd96::/112 dev up0
      ip netns exec ${ns.node} sysctl -qw net.ipv6.conf.all.forwarding=1`);
      const server = `require("node:http").createServer((q, s) => s.end("six")).listen(8080, "fd44::1")`;
      servers.push(spawn("ip", ["netns", "exec", ns.pod1, process.execPath, "-e", server]));
      const six = { ...slice("web", ["fd44::1"]), addressType: "IPv6" };
      const both = service("web", { clusterIP: "10.96.1.1", clusterIPs: ["10.96.1.1", "fd96::1"] });
      const v6: ServiceRulesConfig = { address: "fd30::11", serviceCIDR: "fd96::/112", dnsAddress: "", family: "IPv6" };
      const input = renderServiceRules([both], [six], v6);
      execFileSync("ip", ["netns", "exec", ns.node, "ip6tables-restore", "-w", "--noflush"], { input });
      await until(() => call("node", "[fd44::1]:8080") === "six", { reason: "the pod answers", timeoutMs: 60_000 });
      expect([call("node", "[fd96::1]"), call("pod1", "[fd96::1]"), call("pod1", "[fd96::9]")]).toEqual([
        "six",
        "six",
        "code 7",
      ]);
    },
  );

  it("follows a change in one restore and keeps a client with affinity at its endpoint", () => {
    restore(renderRestore(buildServiceRules([web, idle], [slice("web", ["10.244.0.2"])], config), installed()));
    expect(calls("pod1", "10.96.1.1", 8)).toEqual(new Set(["pod2"]));
    restore(renderRestore(buildServiceRules([sticky], [both], config), installed()));
    expect(calls("pod1", "10.96.1.1", 16).size).toBe(1);
    restore(renderRestore(buildServiceRules([], [], config), installed()));
    expect(call("pod1", "10.96.1.1")).toBe("code 7");
    expect([...installed().chains].sort()).toEqual([
      "filter ISTHMUS-REJECT",
      "nat ISTHMUS-POSTROUTING",
      "nat ISTHMUS-SERVICES",
    ]);
  });
});
