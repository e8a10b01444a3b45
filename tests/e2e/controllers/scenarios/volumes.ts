import { Kinds } from "../../../../src/api/kinds.ts";
import type { Manifest, Scenario, World } from "../world.ts";
import { valueAt } from "../world.ts";
import { pod } from "./manifests.ts";

const { PersistentVolume, PersistentVolumeClaim, Pod, Event } = Kinds;

/** Volumes belong to the cluster: class and names are the scenario's own. */
function volume(world: World, name: string, storage: string, spec: object = {}): Manifest {
  const { namespace } = world;
  const common = { accessModes: ["ReadWriteOnce"], storageClassName: namespace, hostPath: { path: "/data/volume" } };
  return {
    kind: "PersistentVolume",
    metadata: { name: `${namespace}-${name}` },
    spec: { capacity: { storage }, ...common, ...spec },
  };
}

function claim(world: World, spec: object = {}): Manifest {
  const resources = { requests: { storage: "1Gi" } };
  const common = { accessModes: ["ReadWriteOnce"], storageClassName: world.namespace, resources };
  return { kind: "PersistentVolumeClaim", metadata: { name: "data" }, spec: { ...common, ...spec } };
}

const user = (claimName: string) =>
  pod("web", "ready", { volumes: [{ name: "v", persistentVolumeClaim: { claimName } }] });

async function free(world: World, ...volumes: readonly Manifest[]): Promise<void> {
  await world.apply(...volumes);
  for (const { metadata } of volumes) {
    await world.reaches(PersistentVolume, metadata?.name ?? "", "status.phase", "Available");
  }
}

async function bound(world: World, spec: object = {}): Promise<void> {
  await free(world, volume(world, "a", "1Gi", spec));
  await world.apply(claim(world));
  await world.reaches(PersistentVolumeClaim, "data", "status.phase", "Bound");
}

async function told(world: World, reason: string): Promise<void> {
  await world.until(`an event ${reason}`, async () =>
    (await world.list(Event)).some((event) => valueAt(event, "reason") === reason),
  );
}

const phaseOf = (world: World, phase: string) =>
  world.reaches(PersistentVolume, `${world.namespace}-a`, "status.phase", phase);

export const volumeScenarios: readonly Scenario[] = [
  {
    name: "volume-suits-a-claim",
    clusterObjects: ["persistentvolumes/volume-suits-a-claim-a", "persistentvolumes/volume-suits-a-claim-b"],
    looseEvents: true,
    async run(world) {
      await free(world, volume(world, "a", "5Gi"), volume(world, "b", "2Gi"));
      await world.apply(claim(world));
      await world.reaches(PersistentVolumeClaim, "data", "status.phase", "Bound");
    },
  },
  {
    name: "volume-is-reserved",
    clusterObjects: ["persistentvolumes/volume-is-reserved-a"],
    looseEvents: true,
    async run(world) {
      await free(world, volume(world, "a", "5Gi", { claimRef: { namespace: world.namespace, name: "data" } }));
      await world.apply(claim(world));
      await world.reaches(PersistentVolumeClaim, "data", "status.phase", "Bound");
    },
  },
  {
    name: "volume-is-too-small-for-who-names-it",
    clusterObjects: ["persistentvolumes/volume-is-too-small-for-who-names-it-a"],
    looseEvents: true,
    async run(world) {
      await free(world, volume(world, "a", "500Mi"));
      await world.apply(claim(world, { volumeName: `${world.namespace}-a` }));
      await told(world, "VolumeMismatch");
    },
  },
  {
    name: "volume-is-retained",
    clusterObjects: ["persistentvolumes/volume-is-retained-a"],
    looseEvents: true,
    async run(world) {
      await bound(world);
      await world.remove(PersistentVolumeClaim, "data");
      await phaseOf(world, "Released");
    },
  },
  {
    name: "volume-cannot-be-deleted",
    clusterObjects: ["persistentvolumes/volume-cannot-be-deleted-a"],
    looseEvents: true,
    async run(world) {
      await bound(world, { persistentVolumeReclaimPolicy: "Delete" });
      await world.remove(PersistentVolumeClaim, "data");
      await phaseOf(world, "Failed");
    },
  },
  {
    name: "volume-is-kept-while-bound",
    clusterObjects: ["persistentvolumes/volume-is-kept-while-bound-a"],
    looseEvents: true,
    async run(world) {
      await bound(world);
      await world.remove(PersistentVolume, `${world.namespace}-a`);
    },
  },
  {
    name: "claim-loses-its-volume",
    looseEvents: true,
    async run(world) {
      await bound(world);
      await world.remove(PersistentVolume, `${world.namespace}-a`);
      await world.patch(PersistentVolume, `${world.namespace}-a`, { metadata: { finalizers: null } });
      await world.reaches(PersistentVolumeClaim, "data", "status.phase", "Lost");
    },
  },
  {
    name: "claim-is-kept-while-a-pod-uses-it",
    clusterObjects: ["persistentvolumes/claim-is-kept-while-a-pod-uses-it-a"],
    looseEvents: true,
    async run(world) {
      await bound(world);
      await world.apply(user("data"));
      await world.reaches(Pod, "web", "status.phase", "Running");
      await world.remove(PersistentVolumeClaim, "data");
    },
  },
  {
    name: "claim-goes-with-its-last-pod",
    clusterObjects: ["persistentvolumes/claim-goes-with-its-last-pod-a"],
    looseEvents: true,
    async run(world) {
      await bound(world);
      await world.apply(user("data"));
      await world.reaches(Pod, "web", "status.phase", "Running");
      await world.remove(PersistentVolumeClaim, "data");
      await world.remove(Pod, "web");
      await world.gone(PersistentVolumeClaim, "data");
      await phaseOf(world, "Released");
    },
  },
  {
    name: "claim-asks-a-provisioner-for-its-first-pod",
    looseEvents: true,
    async run(world) {
      await world.apply({
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: world.namespace },
        provisioner: "example.com/nobody",
        volumeBindingMode: "WaitForFirstConsumer",
      });
      await world.apply(claim(world));
      await told(world, "WaitForFirstConsumer");
      await world.apply(user("data"));
      await told(world, "ExternalProvisioning");
    },
  },
  {
    name: "claim-names-no-class-there-is",
    looseEvents: true,
    async run(world) {
      await world.apply(claim(world));
      await told(world, "ProvisioningFailed");
    },
  },
  {
    name: "claim-is-made-for-a-pod",
    looseEvents: true,
    async run(world) {
      const { spec } = claim(world, { storageClassName: "" });
      const template = { metadata: { labels: { of: "web" } }, spec };
      await world.apply(
        pod("web", "ready", { volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: template } }] }),
      );
      await told(world, "FailedBinding");
      await world.until("the pod waits for it", async () => {
        const conditions = valueAt(await world.get(Pod, "web"), "status.conditions");
        return Array.isArray(conditions) && conditions.length > 0;
      });
    },
  },
];
