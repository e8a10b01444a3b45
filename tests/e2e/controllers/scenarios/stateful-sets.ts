import { Kinds } from "../../../../src/api/kinds.ts";
import type { Scenario, World } from "../world.ts";
import { imageOf, podTemplate, service, statefulSet } from "./manifests.ts";

const { StatefulSet, Pod } = Kinds;

const claim = (name: string) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
});

async function settled(world: World, replicas: number, name = "db"): Promise<void> {
  await world.observed(StatefulSet, name);
  await world.pods(`app=${name}`, replicas, ({ status }) => status?.phase === "Running");
  await world.until(`${name} has ${replicas} updated pods`, async () => {
    const { status } =
      (await world.get<{ metadata?: object; status?: Record<string, unknown> }>(StatefulSet, name)) ?? {};
    const { currentRevision, updateRevision, readyReplicas = 0, replicas: made = 0 } = status ?? {};
    return currentRevision === updateRevision && readyReplicas === replicas && made === replicas;
  });
}

export const statefulSetScenarios: readonly Scenario[] = [
  {
    name: "stateful-set-starts-in-order",
    async run(world) {
      await world.apply(service("db", { clusterIP: "None" }), statefulSet("db", "ready", { replicas: 3 }));
      await settled(world, 3);
    },
  },
  {
    name: "stateful-set-waits-for-the-first",
    async run(world) {
      await world.apply(statefulSet("db", "unready", { replicas: 3 }));
      await world.reaches(StatefulSet, "db", "status.replicas", 1);
    },
  },
  {
    name: "stateful-set-parallel",
    async run(world) {
      await world.apply(statefulSet("db", "unready", { replicas: 3, podManagementPolicy: "Parallel" }));
      await world.reaches(StatefulSet, "db", "status.replicas", 3);
    },
  },
  {
    name: "stateful-set-scales",
    async run(world) {
      await world.apply(statefulSet("db", "ready", { replicas: 3 }));
      await settled(world, 3);
      await world.patch(StatefulSet, "db", { spec: { replicas: 1 } });
      await world.pods("app=db", 1);
      await settled(world, 1);
      await world.patch(StatefulSet, "db", { spec: { replicas: 2 } });
      await settled(world, 2);
    },
  },
  {
    name: "stateful-set-updates",
    async run(world) {
      await world.apply(statefulSet("db", "ready", { replicas: 2 }));
      await settled(world, 2);
      await world.patch(StatefulSet, "db", imageOf("ready:2"));
      await settled(world, 2);
    },
  },
  {
    name: "stateful-set-updates-a-partition",
    async run(world) {
      const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition: 2 } };
      await world.apply(statefulSet("db", "ready", { replicas: 3, updateStrategy }));
      await settled(world, 3);
      await world.patch(StatefulSet, "db", imageOf("ready:2"));
      await world.reaches(StatefulSet, "db", "status.updatedReplicas", 1);
      await world.reaches(StatefulSet, "db", "status.readyReplicas", 3);
      await world.observed(StatefulSet, "db");
    },
  },
  {
    name: "stateful-set-updates-on-delete",
    async run(world) {
      await world.apply(statefulSet("db", "ready", { replicas: 2, updateStrategy: { type: "OnDelete" } }));
      await settled(world, 2);
      await world.patch(StatefulSet, "db", imageOf("ready:2"));
      await world.observed(StatefulSet, "db");
      await world.remove(Pod, "db-0");
      await world.reaches(StatefulSet, "db", "status.updatedReplicas", 1);
      await world.reaches(StatefulSet, "db", "status.readyReplicas", 2);
    },
  },
  {
    name: "stateful-set-rolls-back",
    async run(world) {
      await world.apply(statefulSet("db", "ready", { replicas: 1, revisionHistoryLimit: 1 }));
      await settled(world, 1);
      for (const image of ["ready:2", "ready:3", "ready:4", "ready:3"]) {
        await world.patch(StatefulSet, "db", imageOf(image));
        await settled(world, 1);
      }
    },
  },
  {
    name: "stateful-set-numbers-from-five",
    async run(world) {
      await world.apply(statefulSet("db", "ready", { replicas: 2, ordinals: { start: 5 } }));
      await settled(world, 2);
    },
  },
  {
    name: "stateful-set-claims-volumes",
    looseEvents: true,
    async run(world) {
      const volumeClaimTemplates = [claim("data")];
      const template = podTemplate("db", "ready", {}, { volumeMounts: [{ name: "data", mountPath: "/data" }] });
      await world.apply(
        statefulSet("db", "ready", { replicas: 2, volumeClaimTemplates, template, podManagementPolicy: "Parallel" }),
      );
      await world.reaches(StatefulSet, "db", "status.replicas", 2);
      await world.pods(
        "app=db",
        2,
        ({ status }) => status?.conditions?.some(({ reason }) => reason === "Unschedulable") === true,
      );
    },
  },
  {
    name: "stateful-set-drops-claims",
    looseEvents: true,
    async run(world) {
      const persistentVolumeClaimRetentionPolicy = { whenScaled: "Delete", whenDeleted: "Delete" };
      const more = {
        volumeClaimTemplates: [claim("data")],
        persistentVolumeClaimRetentionPolicy,
        podManagementPolicy: "Parallel",
      };
      await world.apply(statefulSet("db", "ready", { replicas: 2, ...more }));
      await world.reaches(StatefulSet, "db", "status.replicas", 2);
      await world.patch(StatefulSet, "db", { spec: { replicas: 1 } });
      await world.reaches(StatefulSet, "db", "status.replicas", 1);
      await world.observed(StatefulSet, "db");
    },
  },
  {
    name: "stateful-set-replaces-a-failed-pod",
    async run(world) {
      await world.apply(statefulSet("db", "ready", { replicas: 2 }));
      await settled(world, 2);
      const before = (await world.get(Pod, "db-1"))?.metadata?.uid;
      await world.patch(Pod, "db-1", { status: { phase: "Failed" } }, "status");
      await world.until("db-1 is another pod", async () => {
        const uid = (await world.get(Pod, "db-1"))?.metadata?.uid;
        return uid !== undefined && uid !== before;
      });
      await settled(world, 2);
    },
  },
  {
    name: "stateful-set-waits-until-available",
    async run(world) {
      await world.apply(statefulSet("db", "ready", { replicas: 2, minReadySeconds: 1 }));
      await world.reaches(StatefulSet, "db", "status.availableReplicas", 2);
    },
  },
];
