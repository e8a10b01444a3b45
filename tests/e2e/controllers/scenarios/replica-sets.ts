import { Kinds } from "../../../../src/api/kinds.ts";
import type { Scenario } from "../world.ts";
import { pod, replicaSet } from "./manifests.ts";

const { ReplicaSet, Pod } = Kinds;

export const replicaSetScenarios: readonly Scenario[] = [
  {
    name: "replica-set-adopts-and-releases",
    async run(world) {
      await world.apply(pod("stray", "ready", {}, { labels: { app: "web" } }));
      await world.pods("app=web", 1, ({ status }) => status?.phase === "Running");
      await world.apply(replicaSet("web", "ready", { replicas: 3 }));
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 3);
      await world.patch(Pod, "stray", { metadata: { labels: { app: "other" } } });
      await world.pods("app=web", 3, ({ status }) => status?.phase === "Running");
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 3);
      await world.until("the stray has no owner", async () => {
        return (await world.get(Pod, "stray"))?.metadata?.ownerReferences === undefined;
      });
    },
  },
  {
    name: "replica-set-replaces-pods",
    async run(world) {
      await world.apply(replicaSet("web", "ready", { replicas: 2 }));
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 2);
      const [first] = await world.pods("app=web", 2);
      await world.remove(Pod, first?.metadata?.name ?? "");
      await world.until("another pod", async () => {
        const pods = await world.list(Pod, "app=web");
        return pods.length === 2 && pods.every(({ metadata }) => metadata?.uid !== first?.metadata?.uid);
      });
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 2);
    },
  },
  {
    name: "replica-set-counts-failed-pods-out",
    async run(world) {
      await world.apply(replicaSet("web", "ready", { replicas: 2 }));
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 2);
      const [first] = await world.pods("app=web", 2);
      await world.patch(Pod, first?.metadata?.name ?? "", { status: { phase: "Failed", reason: "Evicted" } }, "status");
      await world.pods("app=web", 2, ({ status }) => status?.phase === "Running");
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 2);
    },
  },
  {
    name: "replica-set-waits-until-available",
    async run(world) {
      await world.apply(replicaSet("web", "ready", { replicas: 2, minReadySeconds: 2 }));
      await world.reaches(ReplicaSet, "web", "status.availableReplicas", 2);
    },
  },
  {
    name: "replica-set-ends-pods-slowly",
    async run(world) {
      await world.apply(replicaSet("web", "lingers", { replicas: 3 }));
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 3);
      await world.patch(ReplicaSet, "web", { spec: { replicas: 1 } });
      await world.reaches(ReplicaSet, "web", "status.replicas", 1);
      await world.observed(ReplicaSet, "web");
    },
  },
  {
    name: "replica-set-deletes-the-least-valuable",
    async run(world) {
      await world.apply(
        pod("valued", "ready", {}, { labels: { app: "web" } }),
        pod(
          "cheap",
          "ready",
          {},
          { labels: { app: "web" }, annotations: { "controller.kubernetes.io/pod-deletion-cost": "-5" } },
        ),
        pod("waiting", "unready", {}, { labels: { app: "web" } }),
      );
      await world.pods("app=web", 3, ({ status }) => status?.phase === "Running");
      await world.apply(replicaSet("web", "ready", { replicas: 3 }));
      await world.reaches(ReplicaSet, "web", "status.replicas", 3);
      await world.patch(ReplicaSet, "web", { spec: { replicas: 1 } });
      await world.pods("app=web", 1);
      await world.reaches(ReplicaSet, "web", "status.replicas", 1);
      await world.observed(ReplicaSet, "web");
    },
  },
  {
    name: "replica-set-is-orphaned",
    async run(world) {
      await world.apply(replicaSet("web", "ready", { replicas: 2 }));
      await world.reaches(ReplicaSet, "web", "status.readyReplicas", 2);
      await world.remove(ReplicaSet, "web", { propagationPolicy: "Orphan" });
      await world.gone(ReplicaSet, "web");
    },
  },
];
