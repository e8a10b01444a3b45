import { describe, expect, it } from "vitest";
import type { DaemonSet, DaemonSetSpec, IntOrString, Node, Pod, PodSpec, Taint } from "#api/kubernetes/gen/types";
import { buildDaemonPod, countDaemons, type DaemonLook, nodeOf, placementOn } from "./daemon-pods.ts";
import { maxSurgeOf, planDaemonUpdate } from "./daemon-rollout.ts";
import { REVISION_HASH } from "./stateful-pods.ts";

const set = (pod: Partial<PodSpec> = {}, spec: Partial<DaemonSetSpec> = {}): DaemonSet => ({
  metadata: { namespace: "sample", name: "agent", uid: "uid-agent" },
  spec: {
    selector: {},
    template: { metadata: { labels: { app: "agent" } }, spec: { containers: [], ...pod } },
    ...spec,
  },
});
const node = (name: string, taints: Taint[] = [], labels: Record<string, string> = {}): Node => ({
  metadata: { name, labels },
  spec: taints.length === 0 ? {} : { taints },
});
const taint = (key: string, effect: string): Taint => ({ key, effect });

describe("where a DaemonSet's pods belong", () => {
  const YES = { runs: true, stays: true };
  const ONLY_STAYS = { runs: false, stays: true };
  const NO = { runs: false, stays: false };
  it.each<[string, Partial<PodSpec>, Node, typeof YES]>([
    ["on every node", {}, node("n"), YES],
    ["not on a tainted node", {}, node("n", [taint("own", "NoSchedule")]), ONLY_STAYS],
    ["not any more on a node that drives pods away", {}, node("n", [taint("own", "NoExecute")]), NO],
    ["where a preference is against it all the same", {}, node("n", [taint("own", "PreferNoSchedule")]), YES],
    ["on a node with troubles of its own", {}, node("n", [taint("node.kubernetes.io/not-ready", "NoExecute")]), YES],
    ["on a cordoned node", {}, node("n", [taint("node.kubernetes.io/unschedulable", "NoSchedule")]), YES],
    ["on a full disk", {}, node("n", [taint("node.kubernetes.io/disk-pressure", "NoSchedule")]), YES],
    [
      "not without a network",
      {},
      node("n", [taint("node.kubernetes.io/network-unavailable", "NoSchedule")]),
      ONLY_STAYS,
    ],
    [
      "without a network when they bring the node's own",
      { hostNetwork: true },
      node("n", [taint("node.kubernetes.io/network-unavailable", "NoSchedule")]),
      YES,
    ],
    ["where they tolerate it", { tolerations: [{ operator: "Exists" }] }, node("n", [taint("own", "NoExecute")]), YES],
    ["where the selector leads", { nodeSelector: { disk: "ssd" } }, node("n", [], { disk: "ssd" }), YES],
    ["nowhere else", { nodeSelector: { disk: "ssd" } }, node("n"), NO],
    ["on the one node that they name", { nodeName: "n" }, node("n"), YES],
    ["on no other", { nodeName: "m" }, node("n"), NO],
  ])("%s", (_, pod, on, placement) => {
    expect(placementOn(set(pod), on)).toEqual(placement);
  });

  it("a new pod waits for its one node, and bears that node's troubles", () => {
    const own = [
      { key: "own", operator: "Exists" },
      { key: "node.kubernetes.io/not-ready", effect: "NoExecute", operator: "Equal" },
    ];
    const pod = buildDaemonPod(set({ tolerations: own }), "h", "n1");
    expect(nodeOf(pod)).toBe("n1");
    expect(nodeOf({ spec: { containers: [], nodeName: "n2" } })).toBe("n2");
    expect(pod.metadata?.labels).toEqual({ app: "agent", [REVISION_HASH]: "h" });
    const tolerated = (pod.spec?.tolerations ?? []).map(({ key, operator, effect }) => `${key} ${operator} ${effect}`);
    expect(tolerated[0]).toBe("own Exists undefined");
    expect(tolerated).toContain("node.kubernetes.io/not-ready Exists NoExecute");
    expect(tolerated).not.toContain("node.kubernetes.io/not-ready Equal NoExecute");
  });
});

const NOW = Date.parse("2026-01-01T01:00:00Z");
/** `ready`, `sick` or `going`, then `@` and the revision. */
const podOn = (name: string, text: string): Pod => {
  const [state = "", hash = ""] = text.split("@");
  const ready = state === "sick" ? "False" : "True";
  return {
    metadata: {
      name: `${name}-${hash}`,
      labels: { [REVISION_HASH]: hash },
      ...(state === "going" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    },
    spec: { containers: [], nodeName: name },
    status: { conditions: [{ type: "Ready", status: ready, lastTransitionTime: "2026-01-01T00:00:00Z" }] },
  };
};
/** Pods by node; `new` is the revision of today. */
const lookAt = (pods: Record<string, string[]>, rollingUpdate: Record<string, IntOrString> = {}): DaemonLook => ({
  set: set({}, { updateStrategy: { type: "RollingUpdate", rollingUpdate } }),
  nodes: Object.keys(pods).map((name) => node(name)),
  pods: new Map(Object.entries(pods).map(([name, list]) => [name, list.map((text) => podOn(name, text))])),
  hash: "new",
  now: NOW,
});
const plan = (...args: Parameters<typeof lookAt>) => {
  const { create, remove } = planDaemonUpdate(lookAt(...args));
  return [...create.map((name) => `+${name}`), ...remove.map(({ metadata }) => `-${metadata?.name}`)];
};

describe("a rolling update", () => {
  it.each<[string, Record<string, string[]>, Record<string, IntOrString>, string[]]>([
    ["replaces one after the other", { a: ["ready@old"], b: ["ready@old"] }, {}, ["-a-old"]],
    ["waits while one is not there", { a: [], b: ["ready@old"] }, {}, []],
    ["waits while a new one is sick", { a: ["sick@new"], b: ["ready@old"] }, {}, []],
    ["goes on when the new one is ready", { a: ["ready@new"], b: ["ready@old"] }, {}, ["-b-old"]],
    [
      "takes sick old ones at once, whatever may be missing",
      { a: ["sick@old"], b: ["sick@old"] },
      {},
      ["-a-old", "-b-old"],
    ],
    [
      "replaces as many as may be missing",
      { a: ["ready@old"], b: ["ready@old"], c: ["ready@old"] },
      { maxUnavailable: 2 },
      ["-a-old", "-b-old"],
    ],
    [
      "counts a share of the nodes, rounded up",
      { a: ["ready@old"], b: ["ready@old"], c: ["ready@old"] },
      { maxUnavailable: "34%" },
      ["-a-old", "-b-old"],
    ],
    ["leaves two pods of one revision on a node alone", { a: ["ready@old", "ready@old"], b: ["ready@old"] }, {}, []],
    ["does not count those that are going", { a: ["going@old", "ready@new"], b: ["ready@old"] }, {}, ["-b-old"]],
  ])("%s", (_, pods, rollingUpdate, changes) => {
    expect(plan(pods, rollingUpdate)).toEqual(changes);
  });

  const surge = { maxSurge: 1 };
  it.each<[string, Record<string, string[]>, string[]]>([
    ["makes the new one beside the old one", { a: ["ready@old"], b: ["ready@old"] }, ["+a"]],
    ["ends the old one when the new one is there", { a: ["ready@old", "ready@new"] }, ["-a-old"]],
    ["makes no second one while the first is not ready", { a: ["ready@old", "sick@new"], b: ["ready@old"] }, []],
    ["does not count nodes whose old one is sick", { a: ["sick@old"], b: ["ready@old"] }, ["+a", "+b"]],
  ])("with surge %s", (_, pods, changes) => {
    expect(plan(pods, surge)).toEqual(changes);
  });

  it("rounds a share of surging nodes up", () => {
    expect(maxSurgeOf(lookAt({ a: [], b: [], c: [] }, { maxSurge: "50%" }))).toBe(2);
  });
});

it("counts nodes, not pods", () => {
  const look = lookAt({ a: ["ready@new"], b: ["sick@old"], c: [], d: ["ready@old"] });
  const [, , , last] = look.nodes;
  const nodes = [...look.nodes.slice(0, 3), { ...last, spec: { taints: [taint("own", "NoSchedule")] } }];
  expect(countDaemons({ ...look, nodes })).toEqual({
    desired: 3,
    current: 2,
    misscheduled: 1,
    ready: 1,
    updated: 1,
    available: 1,
  });
});
