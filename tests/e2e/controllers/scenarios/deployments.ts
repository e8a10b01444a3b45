import { Kinds } from "../../../../src/api/kinds.ts";
import type { ReplicaSet } from "../../../../src/api/kubernetes/gen/types.ts";
import type { Scenario, World } from "../world.ts";
import { deployment, imageOf, podTemplate } from "./manifests.ts";

const { Deployment, ReplicaSet: Sets } = Kinds;

async function rolledOut(world: World, name: string): Promise<void> {
  await world.observed(Deployment, name);
  await world.until(`Deployment ${name} is rolled out`, async () => {
    const { spec, status } = (await world.get<DeploymentLike>(Deployment, name)) ?? {};
    const wanted = spec?.replicas ?? 1;
    const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {};
    return updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted;
  });
}

interface DeploymentLike {
  metadata?: Record<string, never>;
  spec?: { replicas?: number };
  status?: { updatedReplicas?: number; replicas?: number; availableReplicas?: number };
}

/** The replicas of the ReplicaSet whose template has the image, once they are settled. */
const sizeReaches = (world: World, image: string, size: number, ready?: number) =>
  world.until(`the ReplicaSet of ${image} has ${size} pods`, async () => {
    const sets = await world.list<ReplicaSet>(Sets);
    const set = sets.find(({ spec }) => spec?.template?.spec?.containers[0]?.image === image);
    const { replicas = 0, readyReplicas = 0 } = set?.status ?? {};
    return set?.spec?.replicas === size && replicas === size && (ready === undefined || readyReplicas === ready);
  });

export const deploymentScenarios: readonly Scenario[] = [
  {
    name: "deployment-rolls-out",
    async run(world) {
      const annotations = { team: "blue" };
      await world.apply(deployment("web", "ready", { replicas: 3 }, { annotations, labels: { tier: "front" } }));
      await rolledOut(world, "web");
    },
  },
  {
    name: "deployment-scales",
    async run(world) {
      await world.apply(deployment("web", "ready", { replicas: 2 }));
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", { spec: { replicas: 5 } });
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", { spec: { replicas: 1 } });
      await rolledOut(world, "web");
    },
  },
  {
    name: "deployment-scales-to-zero-and-back",
    async run(world) {
      await world.apply(deployment("web", "ready", { replicas: 2 }));
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", { spec: { replicas: 0 } });
      await world.pods("app=web", 0);
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", { spec: { replicas: 1 } });
      await rolledOut(world, "web");
    },
  },
  {
    name: "deployment-updates-one-by-one",
    async run(world) {
      const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
      await world.apply(
        deployment("web", "ready", { replicas: 3, strategy: { type: "RollingUpdate", rollingUpdate } }),
      );
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", { metadata: { annotations: { "kubernetes.io/change-cause": "second" } } });
      await world.patch(Deployment, "web", imageOf("ready:2"));
      await rolledOut(world, "web");
    },
  },
  {
    name: "deployment-is-stuck-on-a-broken-image",
    async run(world) {
      await world.apply(deployment("web", "ready", { replicas: 4 }));
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", imageOf("broken"));
      await sizeReaches(world, "broken", 2, 0);
      await sizeReaches(world, "ready", 3, 3);
    },
  },
  {
    name: "deployment-percentages",
    async run(world) {
      const rollingUpdate = { maxSurge: "10%", maxUnavailable: "40%" };
      await world.apply(
        deployment("web", "ready", { replicas: 7, strategy: { type: "RollingUpdate", rollingUpdate } }),
      );
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", imageOf("unready"));
      await sizeReaches(world, "unready", 3, 0);
      await sizeReaches(world, "ready", 5, 5);
    },
  },
  {
    name: "deployment-rolls-back",
    async run(world) {
      const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
      await world.apply(
        deployment("web", "ready", { replicas: 2, strategy: { type: "RollingUpdate", rollingUpdate } }),
      );
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", imageOf("broken"));
      await sizeReaches(world, "broken", 1, 0);
      await world.patch(Deployment, "web", imageOf("ready"));
      await rolledOut(world, "web");
    },
  },
  {
    name: "deployment-recreates",
    async run(world) {
      await world.apply(deployment("web", "ready", { replicas: 2, strategy: { type: "Recreate" } }));
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", imageOf("ready:2"));
      await rolledOut(world, "web");
    },
  },
  {
    name: "deployment-pauses",
    async run(world) {
      await world.apply(deployment("web", "ready", { replicas: 2 }));
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", { spec: { paused: true } });
      await world.patch(Deployment, "web", imageOf("ready:2"));
      await world.patch(Deployment, "web", { spec: { replicas: 3 } });
      await sizeReaches(world, "ready", 3, 3);
      await world.observed(Deployment, "web");
    },
  },
  {
    name: "deployment-resumes",
    async run(world) {
      const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
      const strategy = { type: "RollingUpdate", rollingUpdate };
      await world.apply(deployment("web", "ready", { replicas: 1, paused: true, strategy }));
      await world.observed(Deployment, "web");
      await world.patch(Deployment, "web", { spec: { paused: null } });
      await rolledOut(world, "web");
    },
  },
  {
    name: "deployment-misses-its-deadline",
    async run(world) {
      await world.apply(deployment("web", "broken", { replicas: 1, progressDeadlineSeconds: 1 }));
      await world.until("the deadline passes", async () => {
        const { status } =
          (await world.get<{ metadata?: object; status?: { conditions?: { reason: string }[] } }>(Deployment, "web")) ??
          {};
        return status?.conditions?.some(({ reason }) => reason === "ProgressDeadlineExceeded");
      });
    },
  },
  {
    name: "deployment-keeps-a-short-history",
    async run(world) {
      const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 };
      const strategy = { type: "RollingUpdate", rollingUpdate };
      await world.apply(deployment("web", "ready", { replicas: 1, revisionHistoryLimit: 1, strategy }));
      await rolledOut(world, "web");
      for (const image of ["ready:2", "ready:3", "ready:4"]) {
        await world.patch(Deployment, "web", imageOf(image));
        await rolledOut(world, "web");
      }
      await world.until("two ReplicaSets are left", async () => (await world.list(Sets)).length === 2);
    },
  },
  {
    name: "deployment-scales-in-proportion",
    async run(world) {
      const rollingUpdate = { maxSurge: 3, maxUnavailable: 2 };
      await world.apply(
        deployment("web", "ready", { replicas: 10, strategy: { type: "RollingUpdate", rollingUpdate } }),
      );
      await rolledOut(world, "web");
      await world.patch(Deployment, "web", imageOf("unready"));
      await sizeReaches(world, "unready", 5, 0);
      await sizeReaches(world, "ready", 8, 8);
      await world.patch(Deployment, "web", { spec: { replicas: 15 } });
      await sizeReaches(world, "unready", 7, 0);
      await sizeReaches(world, "ready", 11, 11);
      await world.observed(Deployment, "web");
    },
  },
  {
    name: "deployment-is-refused-its-pods",
    async run(world) {
      const template = podTemplate("web", "ready", { serviceAccountName: "absent" });
      await world.apply(deployment("web", "ready", { replicas: 2, template }));
      await world.until("the failure shows", async () => {
        const { status } =
          (await world.get<{ metadata?: object; status?: { conditions?: { type: string }[] } }>(Deployment, "web")) ??
          {};
        return status?.conditions?.some(({ type }) => type === "ReplicaFailure");
      });
    },
    looseEvents: true,
  },
  {
    name: "deployment-is-deleted",
    async run(world) {
      await world.apply(deployment("web", "ready", { replicas: 2 }), deployment("api", "ready", { replicas: 1 }));
      await rolledOut(world, "web");
      await rolledOut(world, "api");
      await world.remove(Deployment, "web", { propagationPolicy: "Foreground" });
      await world.gone(Deployment, "web");
      await world.remove(Deployment, "api", { propagationPolicy: "Orphan" });
      await world.gone(Deployment, "api");
      await world.until("the ReplicaSet is an orphan", async () => {
        const sets = await world.list(Sets, "app=api");
        return sets.every(({ metadata }) => metadata?.ownerReferences === undefined);
      });
    },
  },
  {
    name: "deployment-adopts",
    async run(world) {
      await world.apply(deployment("web", "ready", { replicas: 2 }));
      await rolledOut(world, "web");
      await world.remove(Deployment, "web", { propagationPolicy: "Orphan" });
      await world.gone(Deployment, "web");
      await world.apply(deployment("web", "ready", { replicas: 3 }));
      await rolledOut(world, "web");
    },
  },
];
