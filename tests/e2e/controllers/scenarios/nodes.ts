import { Kinds } from "../../../../src/api/kinds.ts";
import type { Pod } from "../../../../src/api/kubernetes/gen/types.ts";
import type { Scenario, World } from "../world.ts";
import { valueAt } from "../world.ts";
import { pod } from "./manifests.ts";

const { Node, Pod: Pods } = Kinds;

/** Only pods of the scenario come to its node. */
const taint = (name: string) => ({ key: "scenario", value: name, effect: "NoSchedule" });
const onNode = (name: string, more: readonly object[] = []) => ({
  nodeSelector: { "kubernetes.io/hostname": name },
  tolerations: [{ key: "scenario", operator: "Exists" }, ...more],
});

const running = (world: World, name: string) => world.reaches(Pods, name, "status.phase", "Running");

const taintsReach = (world: World, node: string, effect: string, key: string | undefined) =>
  world.until(`${node} has taint ${key}`, async () => {
    const taints = valueAt(await world.get(Node, node), "spec.taints");
    const ours = (Array.isArray(taints) ? taints : []).filter(
      (each) => valueAt(each, "key") !== "scenario" && valueAt(each, "effect") === effect,
    );
    return key === undefined ? ours.length === 0 : ours.some((each) => valueAt(each, "key") === key);
  });

const unschedulable = (world: World, name: string) =>
  world.until(`${name} is unschedulable`, async () => {
    const { status } = (await world.get<Pod>(Pods, name)) ?? {};
    return status?.conditions?.some(({ reason }) => reason === "Unschedulable");
  });

export const nodeScenarios: readonly Scenario[] = [
  {
    name: "node-is-ready",
    clusterObjects: ["nodes/fresh"],
    async run(world) {
      await world.nodes.register({ name: "fresh", zone: "zone-a", taints: [taint("fresh")] });
      await taintsReach(world, "fresh", "NoSchedule", undefined);
      await world.apply(pod("web", "ready", onNode("fresh")));
      await running(world, "web");
    },
  },
  {
    name: "node-says-not-ready",
    clusterObjects: ["nodes/weak"],
    async run(world) {
      await world.nodes.register({ name: "weak", taints: [taint("weak")] });
      await taintsReach(world, "weak", "NoSchedule", undefined);
      const brief = [
        { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 1 },
      ];
      await world.apply(pod("stays", "ready", onNode("weak")), pod("leaves", "ready", onNode("weak", brief)));
      await running(world, "stays");
      await running(world, "leaves");
      await world.nodes.sayReady("weak", false);
      await taintsReach(world, "weak", "NoExecute", "node.kubernetes.io/not-ready");
      await world.gone(Pods, "leaves");
    },
  },
  {
    name: "node-recovers",
    slow: true,
    clusterObjects: ["nodes/shaky"],
    async run(world) {
      await world.nodes.register({ name: "shaky", taints: [taint("shaky")] });
      await taintsReach(world, "shaky", "NoSchedule", undefined);
      await world.nodes.sayReady("shaky", false);
      await taintsReach(world, "shaky", "NoExecute", "node.kubernetes.io/not-ready");
      await world.nodes.sayReady("shaky", true);
      await taintsReach(world, "shaky", "NoExecute", undefined);
      await taintsReach(world, "shaky", "NoSchedule", undefined);
    },
  },
  {
    name: "node-falls-silent",
    slow: true,
    clusterObjects: ["nodes/silent"],
    async run(world) {
      await world.nodes.register({ name: "silent", taints: [taint("silent")] });
      await taintsReach(world, "silent", "NoSchedule", undefined);
      await world.apply(pod("web", "ready", onNode("silent")));
      await running(world, "web");
      world.nodes.silence("silent");
      await taintsReach(world, "silent", "NoExecute", "node.kubernetes.io/unreachable");
      await world.until("the pod is not ready", async () => {
        const { status } = (await world.get<Pod>(Pods, "web")) ?? {};
        return status?.conditions?.some(({ type, status: value }) => type === "Ready" && value === "False");
      });
    },
  },
  {
    name: "node-is-cordoned",
    clusterObjects: ["nodes/corded"],
    async run(world) {
      await world.nodes.register({ name: "corded", taints: [taint("corded")] });
      await taintsReach(world, "corded", "NoSchedule", undefined);
      await world.patch(Node, "corded", { spec: { unschedulable: true } });
      await taintsReach(world, "corded", "NoSchedule", "node.kubernetes.io/unschedulable");
    },
  },
  {
    name: "node-gets-a-no-execute-taint",
    clusterObjects: ["nodes/evicting"],
    async run(world) {
      await world.nodes.register({ name: "evicting", taints: [taint("evicting")] });
      await taintsReach(world, "evicting", "NoSchedule", undefined);
      const patient = [{ key: "maintenance", operator: "Exists" }];
      await world.apply(pod("stays", "ready", onNode("evicting", patient)), pod("leaves", "ready", onNode("evicting")));
      await running(world, "stays");
      await running(world, "leaves");
      await world.patch(Node, "evicting", {
        spec: { taints: [taint("evicting"), { key: "maintenance", effect: "NoExecute" }] },
      });
      await world.gone(Pods, "leaves");
    },
  },
  {
    name: "pod-fits-nowhere",
    looseEvents: true,
    async run(world) {
      await world.apply(pod("web", "ready", { nodeSelector: { disk: "tape" } }));
      await unschedulable(world, "web");
    },
  },
  {
    name: "pod-waits-behind-gates",
    async run(world) {
      await world.apply(pod("web", "ready", { schedulingGates: [{ name: "example.com/wait" }] }));
      await world.until("it waits", async () => {
        const { status } = (await world.get<Pod>(Pods, "web")) ?? {};
        return status?.conditions?.some(({ reason }) => reason === "SchedulingGated");
      });
    },
  },
  {
    name: "pod-prefers-by-affinity",
    comparesNodes: true,
    async run(world) {
      const terms = [{ matchExpressions: [{ key: "disk", operator: "DoesNotExist" }] }];
      const affinity = {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      };
      await world.apply(pod("web", "ready", { affinity, nodeSelector: { pool: "both" } }));
      await running(world, "web");
    },
  },
  {
    name: "pods-spread-by-anti-affinity",
    comparesNodes: true,
    async run(world) {
      const labelSelector = { matchLabels: { group: "apart" } };
      const required = [{ labelSelector, topologyKey: "kubernetes.io/hostname" }];
      const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } };
      const labels = { group: "apart" };
      const nodeSelector = { pool: "both" };
      await world.apply(pod("first", "ready", { nodeSelector: { "kubernetes.io/hostname": "node-a" } }, { labels }));
      await running(world, "first");
      await world.apply(pod("second", "ready", { affinity, nodeSelector }, { labels }));
      await running(world, "second");
    },
  },
];
