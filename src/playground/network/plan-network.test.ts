import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Cidr, overlaps, parseCidr } from "#base/ipv4-range";
import { buildLayout, hostInterfaceName } from "./layout.ts";
import { loadTopology } from "./load-topology.ts";
import { planNetwork } from "./plan-network.ts";

const cidr = (text: string): Cidr => parseCidr(text) ?? expect.fail(text);
const layoutOf = async (file: string) =>
  buildLayout(
    await loadTopology(join(import.meta.dirname, "../../../samples/playground", file)),
    cidr("172.30.0.0/24"),
    "/s",
  );
const TWO = "two-clusters-two-networks.yaml";
const THREE = "three-clusters-two-networks.yaml";

describe("layout", () => {
  it("gives every address once", async () => {
    const { outer, clusters } = await layoutOf(THREE);
    const ranges = clusters.map(({ loadBalancerRange: { first, last } }) => ({
      first: cidr(first).first,
      last: cidr(last).first,
      prefix: 32,
    }));
    const single = [outer.hostAddress, ...clusters.map((cluster) => cluster.address)].map(cidr);
    const all = [...ranges, ...single];
    for (const [index, range] of all.entries()) {
      expect(all.slice(index + 1).filter((other) => overlaps(range, other))).toEqual([]);
      expect(overlaps(range, cidr("172.30.0.255/32")) || overlaps(range, cidr("172.30.0.0/32"))).toBe(false);
    }
  });

  it("uses Kubernetes' places in the service range", async () => {
    const [cluster] = (await layoutOf(TWO)).clusters;
    expect(cluster).toMatchObject({
      address: "172.30.0.11",
      kubernetesServiceAddress: "10.96.0.1",
      dnsAddress: "10.96.0.10",
    });
  });

  it("names the host's interface by the state directory, within the kernel's limit", () => {
    expect(hostInterfaceName("/a")).toMatch(/^isthmus-[0-9a-f]{7}$/);
    expect(hostInterfaceName("/a")).not.toBe(hostInterfaceName("/b"));
    expect(hostInterfaceName("/a").length).toBeLessThanOrEqual(15);
  });
});

describe("plan", () => {
  const nodesOf = async (file: string) => {
    const plan = planNetwork(await layoutOf(file), { ipv6: true });
    return plan.at(-1) ?? [];
  };

  it("gives no namespace a default route of IPv4", async () => {
    const lines = planNetwork(await layoutOf(THREE), { ipv6: true }).flatMap((stage) =>
      stage.flatMap((step) => step.ip ?? []),
    );
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => /default|0\.0\.0\.0\/0/.test(line))).toEqual([]);
  });

  it("leads to the pods of its own network and keeps every other range inside the node", async () => {
    const [first, second, third] = await nodesOf(THREE);
    const routes = (step: typeof first) => step?.ip?.filter((line) => line.startsWith("route add 10."));
    expect(routes(first)).toEqual([
      "route add 10.244.0.0/16 dev lo",
      "route add 10.96.0.0/16 dev up0 src 172.30.0.11",
      "route add 10.245.0.0/16 via 169.254.16.3 dev in0",
    ]);
    expect(routes(second)).toEqual([
      "route add 10.244.0.0/16 dev lo",
      "route add 10.245.0.0/16 dev lo",
      "route add 10.96.0.0/16 dev up0 src 172.30.0.12",
    ]);
    expect(routes(third)).toContain("route add 10.244.0.0/16 via 169.254.16.1 dev in0");
  });

  it("makes an inner segment only for a network that has two clusters", async () => {
    const added = async (file: string) =>
      planNetwork(await layoutOf(file), { ipv6: true })[0]?.[0]?.ip?.filter((line) => line.startsWith("netns add"));
    expect(await added(TWO)).toEqual(["netns add pub", "netns add node-cluster1", "netns add node-cluster2"]);
    expect(await added(THREE)).toContain("netns add net-network1");
    expect(await added(THREE)).not.toContain("netns add net-network2");
  });

  it("never accepts in its own chains, so that others compose", async () => {
    for (const step of await nodesOf(THREE)) expect(step.firewall).not.toMatch(/-j ACCEPT/);
  });

  it("parts the networks in both families alike, and gives single-family clusters no IPv6 way out", async () => {
    const dual = await nodesOf("dual-stack.yaml");
    const six = (step: (typeof dual)[number] | undefined) => step?.ip?.filter((line) => line.includes(":"));
    expect(six(dual[1])).toEqual([
      "addr add fe80::12/64 dev up0 nodad",
      "addr add fd69:7374:ac1e::c/64 dev up0 nodad",
      "route add fd00:10:96::/112 dev up0 src fd69:7374:ac1e::c",
      "route add unreachable ::/0 metric 4294967295",
    ]);
    const refusals = (rules = "") => rules.split("\n").filter((line) => line.includes("tcp-reset"));
    const asIpv6 = (line: string) =>
      line
        .replace("172.30.0.0/24", "fd69:7374:ac1e::/64")
        .replace(/10\.(244|96)\.0\.0\/16/, (_, of) => (of === "96" ? "fd00:10:96::/112" : "fd00:10:244::/64"));
    const four = refusals(dual[0]?.firewall).filter((line) => !line.includes("-o lo"));
    expect(refusals(dual[0]?.firewall6)).toEqual(four.map(asIpv6));
    for (const step of await nodesOf(TWO)) {
      expect(six(step)).toEqual(["route add unreachable ::/0 metric 4294967295"]);
      expect(step.firewall6).toContain("-A PLAYGROUND-FORWARD -o up0 -j REJECT");
    }
  });

  it("says nothing of IPv6 where the kernel has none", async () => {
    const steps = planNetwork(await layoutOf(TWO), { ipv6: false }).flat();
    expect(JSON.stringify(steps)).not.toMatch(/ipv6|::\/0/);
    expect(steps.some((step) => step.firewall6 !== undefined)).toBe(false);
  });
});
