import { Kinds } from "../../../../src/api/kinds.ts";
import type { Scenario, World } from "../world.ts";
import { daemonSet, imageOf, podTemplate } from "./manifests.ts";

const { DaemonSet, Pod } = Kinds;
const onBoth = { nodeSelector: { pool: "both" } };
const daemons = (image: string, spec = {}, podSpec = {}) =>
  daemonSet("agent", image, { template: podTemplate("agent", image, { ...onBoth, ...podSpec }), ...spec });

async function settled(world: World, count: number): Promise<void> {
  await world.observed(DaemonSet, "agent");
  await world.reaches(DaemonSet, "agent", "status.updatedNumberScheduled", count);
  await world.reaches(DaemonSet, "agent", "status.numberAvailable", count);
  await world.pods("app=agent", count);
}

export const daemonSetScenarios: readonly Scenario[] = [
  {
    name: "daemon-set-runs-everywhere",
    comparesNodes: true,
    async run(world) {
      await world.apply(daemons("ready"));
      await settled(world, 2);
    },
  },
  {
    name: "daemon-set-selects-nodes",
    comparesNodes: true,
    async run(world) {
      await world.apply(daemons("ready", {}, { nodeSelector: { disk: "ssd" } }));
      await settled(world, 1);
    },
  },
  {
    name: "daemon-set-tolerates",
    comparesNodes: true,
    async run(world) {
      const terms = [{ matchExpressions: [{ key: "pool", operator: "In", values: ["both"] }] }];
      const affinity = {
        nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
      };
      const tolerations = [{ key: "special", operator: "Exists" }];
      await world.apply(daemons("ready", { minReadySeconds: 1 }, { affinity, tolerations, hostNetwork: true }));
      await settled(world, 2);
    },
  },
  {
    name: "daemon-set-moves-to-another-node",
    comparesNodes: true,
    async run(world) {
      await world.apply(daemons("ready", {}, { nodeSelector: { disk: "ssd" } }));
      await settled(world, 1);
      await world.patch(DaemonSet, "agent", {
        spec: { template: { spec: { nodeSelector: { disk: null, "kubernetes.io/hostname": "node-b" } } } },
      });
      await world.until("the pod is on node-b", async () => {
        const pods = await world.pods("app=agent", 1);
        return pods[0]?.spec?.nodeName === "node-b";
      });
      await settled(world, 1);
    },
  },
  {
    name: "daemon-set-updates",
    comparesNodes: true,
    async run(world) {
      await world.apply(daemons("ready"));
      await settled(world, 2);
      await world.patch(DaemonSet, "agent", imageOf("ready:2"));
      await settled(world, 2);
    },
  },
  {
    name: "daemon-set-updates-with-surge",
    comparesNodes: true,
    async run(world) {
      const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
      await world.apply(daemons("ready", { updateStrategy }));
      await settled(world, 2);
      await world.patch(DaemonSet, "agent", imageOf("ready:2"));
      await settled(world, 2);
    },
  },
  {
    name: "daemon-set-is-stuck-on-a-broken-image",
    async run(world) {
      await world.apply(daemons("ready"));
      await settled(world, 2);
      await world.patch(DaemonSet, "agent", imageOf("broken"));
      await world.reaches(DaemonSet, "agent", "status.updatedNumberScheduled", 1);
      await world.observed(DaemonSet, "agent");
    },
  },
  {
    name: "daemon-set-updates-on-delete",
    async run(world) {
      await world.apply(daemons("ready", { updateStrategy: { type: "OnDelete" } }));
      await settled(world, 2);
      await world.patch(DaemonSet, "agent", imageOf("ready:2"));
      await world.observed(DaemonSet, "agent");
      const [first] = await world.pods("app=agent", 2);
      await world.remove(Pod, first?.metadata?.name ?? "");
      await world.reaches(DaemonSet, "agent", "status.updatedNumberScheduled", 1);
      await world.reaches(DaemonSet, "agent", "status.numberReady", 2);
    },
  },
  {
    name: "daemon-set-replaces-a-failed-pod",
    comparesNodes: true,
    async run(world) {
      await world.apply(daemons("ready"));
      await settled(world, 2);
      const pods = await world.pods("app=agent", 2);
      const first = pods.find(({ spec }) => spec?.nodeName === "node-a");
      await world.patch(Pod, first?.metadata?.name ?? "", { status: { phase: "Failed" } }, "status");
      await world.pods(
        "app=agent",
        2,
        ({ status, metadata }) => status?.phase === "Running" && metadata?.uid !== first?.metadata?.uid,
      );
      await settled(world, 2);
    },
  },
];
