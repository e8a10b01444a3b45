// What parts two networks, tried with packets. Every refusal has a control that differs in one thing only.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "#base/until";
import type { PlaygroundStatus } from "#playground/lifecycle/playground-status";
import { cannotRun, inNamespace, StubHome } from "./stub-playground.ts";

const reason = cannotRun();
if (reason !== undefined) console.warn(`playground isolation is skipped: ${reason}`);

const THREE = fileURLToPath(new URL("../../../samples/playground/three-clusters-two-networks.yaml", import.meta.url));
const PORT = 8080;
/** Answers with its pod's name and the address that it sees the client come from. */
const SERVER = `
const name = process.argv[2];
require("node:net").createServer((s) => s.end(name + " " + s.remoteAddress)).listen(${PORT}, "0.0.0.0");`;

const POD1 = "10.244.0.5";
const POD2 = "10.244.0.6";
const POD3 = "10.245.0.5";
const SERVICE = "10.96.0.50";

describe.skipIf(reason !== undefined)("networks of a playground", () => {
  let home: StubHome;
  let status: PlaygroundStatus;
  let lb1 = "";
  const address = (index: number) => status.clusters[index]?.address ?? "";
  const node = (index: number) => `node-cluster${index + 1}`;

  /** A pod as the node runtime makes it: a namespace, a routed veth, a default route to its node, a server. */
  function addPod(index: number, ip: string, name: string): void {
    const device = `v${name}`;
    inNamespace(
      status,
      node(index),
      `ip netns add ${name}
       ip link add ${device} type veth peer name eth0 netns ${name}
       ip addr add 169.254.1.1/32 dev ${device} scope link; ip link set ${device} up; ip route add ${ip}/32 dev ${device}
       ip -n ${name} link set lo up; ip -n ${name} addr add ${ip}/32 dev eth0; ip -n ${name} link set eth0 up
       ip -n ${name} route add 169.254.1.1 dev eth0 scope link; ip -n ${name} route add default via 169.254.1.1 dev eth0`,
    );
    serve(name, name);
  }

  function serve(namespace: string, name: string): void {
    const enter = ["-t", String(status.supervisor?.pid), "-m", "-p", "--", "nsenter", `--net=/run/netns/${namespace}`];
    spawn("nsenter", [...enter, process.execPath, join(home.home, "server.cjs"), name], { stdio: "ignore" }).unref();
  }

  /** The answer, or how the dial failed; the kernel's refusals come within `ms`. */
  /** What the other side says, "unreachable" or "refused" as the kernel says at once, or "timeout" when packets vanish. */
  function dial(from: string, ip: string, port = PORT): { answer: string } {
    const script = `exec 3<>/dev/tcp/${ip}/${port} && cat <&3`;
    try {
      return { answer: inNamespace(status, from, `timeout 20 bash -c '${script}'`) };
    } catch (thrown) {
      const text = String((thrown as { stderr?: unknown }).stderr);
      return { answer: /unreachable|refused/i.exec(text)?.[0] ?? "timeout" };
    }
  }

  beforeAll(async () => {
    home = new StubHome();
    const started = await home.run(["up", "--detach", "--no-common-root", "--topology", THREE]);
    expect(started, started.stderr).toMatchObject({ code: 0 });
    status = await home.ready("default");
    lb1 = status.clusters[0]?.loadBalancerRange.first ?? "";
    writeFileSync(join(home.home, "server.cjs"), SERVER);
    addPod(0, POD1, "pod1");
    addPod(1, POD2, "pod2");
    addPod(2, POD3, "pod3");
    // A LoadBalancer and a ClusterIP as the service proxy makes them, and a stranger on the outer segment.
    inNamespace(
      status,
      node(0),
      `ip addr add ${lb1}/32 dev up0
       for at in "${lb1} --dport 80" "${SERVICE} --dport 80"; do
         iptables -w -t nat -A PREROUTING -p tcp -d $at -j DNAT --to-destination ${POD1}:${PORT}
         iptables -w -t nat -A OUTPUT -p tcp -d $at -j DNAT --to-destination ${POD1}:${PORT}
       done`,
    );
    const outer = status.outer?.cidr.replace(/\.0\/.*/, "") ?? "";
    inNamespace(
      status,
      "pub",
      `ip netns add stranger
       ip link add ns type veth peer name eth0 netns stranger; ip link set ns master br0 up
       ip -n stranger addr add ${outer}.200/24 dev eth0; ip -n stranger link set eth0 up; ip -n stranger link set lo up
       ip -n stranger route add 10.244.0.0/16 via ${address(0)}; ip -n stranger route add 10.96.0.0/16 via ${address(0)}`,
    );
    for (const [index, ip] of [POD1, POD2, POD3].entries()) {
      const reason = `the server of pod ${index + 1} answers`;
      await until(() => dial(node(index), ip).answer.startsWith("pod"), { reason, timeoutMs: 60_000 });
    }
  });
  afterAll(() => home.remove(["default"]));

  it("lets a stranger in by a LoadBalancer address", () => {
    expect(dial("stranger", lb1, 80).answer).toMatch(/^pod1 .*\.200$/);
  });

  it.each([
    ["a pod", POD1, PORT],
    ["a service", SERVICE, 80],
  ])("refuses a stranger with a forged route to %s, at once", (_, ip, port) => {
    const refused = dial("stranger", ip, port);
    expect(refused.answer).toMatch(/unreachable|refused/);
    // The control: the very same route leads to the pod once the rule is away.
    inNamespace(status, node(0), "iptables -w -D FORWARD -j PLAYGROUND-FORWARD");
    try {
      expect(dial("stranger", ip, port).answer).toMatch(/^pod1 /);
    } finally {
      inNamespace(status, node(0), "iptables -w -I FORWARD 1 -j PLAYGROUND-FORWARD");
    }
  });

  it("refuses a stranger who dials the node's own addresses behind the segment", async () => {
    inNamespace(status, node(0), "ip addr add 10.96.0.10/32 dev lo");
    serve(node(0), "dns");
    const serves = () => dial("pod1", "10.96.0.10").answer.startsWith("dns");
    await until(serves, { reason: "the node serves", timeoutMs: 60_000 });
    expect(dial("stranger", "10.96.0.10").answer).toMatch(/unreachable|refused/);
    expect(dial("stranger", address(0)).answer).toMatch(/^dns /);
  });

  it("gives a pod no way to a pod of another network but its LoadBalancer address", () => {
    // The same address range on both sides: pod2 would meet its own cluster.
    for (const ip of [POD1, POD3]) {
      const refused = dial("pod2", ip);
      expect(refused.answer).toMatch(/unreachable|refused/);
    }
    // Seen from the other side it comes from its node, not from a pod address that means something else there.
    expect(dial("pod2", lb1, 80).answer).toBe(`pod1 ${address(1)}`);
  });

  it("refuses a pod even when its own node is given a route to the other cluster", () => {
    inNamespace(status, node(1), `ip route add ${POD1}/32 via ${address(0)}`);
    try {
      expect(dial("pod2", POD1).answer).toMatch(/unreachable|refused/);
    } finally {
      inNamespace(status, node(1), `ip route del ${POD1}/32`);
    }
  });

  it("lets pods of one network reach each other with their own addresses", () => {
    expect(dial("pod1", POD3).answer).toBe(`pod3 ${POD1}`);
    expect(dial("pod3", POD1).answer).toBe(`pod1 ${POD3}`);
  });

  it("has no default route outside pods, and refuses an unknown service at once", () => {
    for (const index of [0, 1, 2]) expect(inNamespace(status, node(index), "ip route")).not.toContain("default");
    for (const from of ["pod1", node(0)]) {
      const refused = dial(from, "10.96.0.99", 80);
      expect(refused.answer).toMatch(/unreachable|refused/);
    }
    expect(dial(node(0), SERVICE, 80).answer).toMatch(/^pod1 /);
    expect(dial("pod1", "198.51.100.7", 80).answer).toMatch(/unreachable|refused/);
  });
});
