// The small decisions of the scheduler and of the load balancer controller, as tables.

import { describe, expect, it } from "vitest";
import type { Node, Pod, Service } from "#api/kubernetes/gen/types";
import { chooseAddress } from "../cluster/load-balancer-controller.ts";
import { chooseNode } from "./choose-node.ts";

const node = (name: string, spec: Node["spec"] = {}, ready = "True", labels = {}): Node => ({
  metadata: { name, labels },
  spec,
  status: { conditions: [{ type: "Ready", status: ready }] },
});
const pod = (spec = {}): Pod => ({ metadata: { name: "p" }, spec: { containers: [], ...spec } });
const silent = [{ key: "node.kubernetes.io/unreachable", effect: "NoSchedule" }];
const taints = [{ key: "gpu", value: "yes", effect: "NoSchedule" }];

describe("chooseNode", () => {
  it.each([
    ["the emptier node", pod(), [node("a"), node("b")], { node: "b" }],
    ["a ready node", pod(), [node("b", { taints: silent }), node("a")], { node: "a" }],
    [
      "a node by label",
      pod({ nodeSelector: { disk: "ssd" } }),
      [node("b"), node("a", {}, "True", { disk: "ssd" })],
      { node: "a" },
    ],
    [
      "a tainted node when tolerated",
      pod({ tolerations: [{ key: "gpu", operator: "Exists" }] }),
      [node("a", { taints })],
      { node: "a" },
    ],
    ["none without nodes", pod(), [], { message: "no nodes available to schedule pods" }],
    [
      "none, and says why",
      pod(),
      [node("a", { taints }), node("b", { unschedulable: true }), node("c", { taints: silent })],
      {
        message:
          "0/3 nodes are available: 1 node(s) were unschedulable, 2 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
      },
    ],
  ])("takes %s", (_what, wanted, nodes, expected) => {
    expect(chooseNode(wanted, nodes, (name) => Array.from({ length: name === "a" ? 3 : 1 }, () => pod()))).toEqual(
      expected,
    );
  });
});

describe("chooseAddress", () => {
  const range = { first: "172.30.0.100", last: "172.30.0.102" };
  const service = (loadBalancerIP?: string, has?: string): Service => ({
    spec: { type: "LoadBalancer", ...(loadBalancerIP === undefined ? {} : { loadBalancerIP }) },
    status: has === undefined ? {} : { loadBalancer: { ingress: [{ ip: has }] } },
  });
  it.each([
    ["the first free one", service(), [], "172.30.0.100"],
    ["the next free one", service(), ["172.30.0.100", "172.30.0.101"], "172.30.0.102"],
    ["the one it has", service(undefined, "172.30.0.101"), [], "172.30.0.101"],
    ["another when its own is taken", service(undefined, "172.30.0.101"), ["172.30.0.101"], "172.30.0.100"],
    ["the one it asks for", service("172.30.0.102", "172.30.0.101"), [], "172.30.0.102"],
  ])("gives %s", (_what, wanted, taken, address) => {
    expect(chooseAddress(wanted, range, new Set(taken))).toEqual({ address });
  });
  it.each([
    ["all are taken", service(), ["172.30.0.100", "172.30.0.101", "172.30.0.102"], /every address/],
    ["the wish is outside", service("172.30.0.9"), [], /outside this cluster's range/],
    ["the wish is taken", service("172.30.0.100"), ["172.30.0.100"], /belongs to another/],
  ])("says why not when %s", (_what, wanted, taken, problem) => {
    expect(chooseAddress(wanted, range, new Set(taken))).toEqual({ problem: expect.stringMatching(problem) });
  });

  it("gives one of each family that the Service wants", () => {
    const v6 = { first: "fd30::1", last: "fd30::3" };
    const dual = (loadBalancerIP?: string): Service => ({
      spec: { ...service(loadBalancerIP).spec, ipFamilies: ["IPv4", "IPv6"] },
    });
    expect(chooseAddress(dual(), v6, new Set(["fd30::1"]))).toEqual({ address: "fd30::2" });
    // What it asks for in one family says nothing of the other.
    expect(chooseAddress(dual("172.30.0.101"), v6, new Set())).toEqual({ address: "fd30::1" });
    expect(chooseAddress(dual("fd30::3"), v6, new Set())).toEqual({ address: "fd30::3" });
    expect(chooseAddress(dual("fd31::3"), v6, new Set())).toHaveProperty("problem");
  });
});
