import { expect, it } from "vitest";
import type { Container, Node, Pod } from "#api/kubernetes/gen/types";
import { shortageOn } from "./node-resources.ts";
import { chooseNode } from "./choose-node.ts";

const node = (name: string, cpu: string): Node => ({
  metadata: { name },
  status: { allocatable: { cpu, memory: "4Gi", pods: "3" } },
});
const asking = (requests: Record<string, string>, more: Partial<Container> = {}): Pod => ({
  metadata: { name: "p" },
  spec: { containers: [{ name: "c", image: "i", resources: { requests }, ...more }] },
});
const port = (hostPort: number, hostIP?: string, protocol = "TCP") =>
  asking({}, { ports: [{ containerPort: 80, hostPort, protocol, ...(hostIP === undefined ? {} : { hostIP }) }] });
const done = (pod: Pod, phase: string): Pod => ({ ...pod, status: { phase } });

it.each<[string, Pod, Pod[], ReturnType<typeof shortageOn>]>([
  ["enough", asking({ cpu: "1" }), [asking({ cpu: "1", memory: "4Gi" })], undefined],
  [
    "too little left",
    asking({ cpu: "1001m", memory: "1Gi" }),
    [asking({ cpu: "1", memory: "4Gi" })],
    { reasons: ["Insufficient cpu", "Insufficient memory"], byOthers: true },
  ],
  ["more than there is", asking({ cpu: "1000" }), [], { reasons: ["Insufficient cpu"], byOthers: false }],
  ["what no node has", asking({ "x.test/gpu": "1" }), [], { reasons: ["Insufficient x.test/gpu"], byOthers: false }],
  ["what has ended needs nothing", asking({ cpu: "2" }), [done(asking({ cpu: "2" }), "Succeeded")], undefined],
  ["a place", asking({}), [asking({}), asking({})], undefined],
  ["no place", asking({}), [asking({}), asking({}), asking({})], { reasons: ["Too many pods"], byOthers: true }],
  ["another port", port(80), [port(81), port(80, undefined, "UDP")], undefined],
  ["another address", port(80, "10.0.0.1"), [port(80, "10.0.0.2")], undefined],
  [
    "a port that is taken",
    port(80),
    [port(80, "10.0.0.2")],
    { reasons: ["node(s) didn't have free ports for the requested pod ports"], byOthers: true },
  ],
])("%s", (_what, pod, others, expected) => {
  expect(shortageOn(node("a", "2"), pod, others)).toEqual(expected);
});

it("a node that tells nothing of itself takes any pod", () => {
  expect(shortageOn({ metadata: { name: "a" } }, asking({ cpu: "9" }), [])).toBeUndefined();
});

it("the scheduler takes the node that has room, and else says what each lacks", () => {
  const nodes = [node("a", "1"), node("b", "4"), { ...node("c", "9"), spec: { unschedulable: true } }];
  const podsOn = (name: string) => (name === "b" ? [asking({ cpu: "2" })] : []);
  expect(chooseNode(asking({ cpu: "2" }), nodes, podsOn)).toEqual({ node: "b" });
  expect(chooseNode(asking({ cpu: "3", memory: "5Gi" }), nodes, podsOn)).toEqual({
    message:
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu, 2 Insufficient memory. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
  });
  expect(chooseNode(asking({ cpu: "3" }), nodes, podsOn)).toEqual({
    message:
      "0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to deallocate, preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
  });
});
