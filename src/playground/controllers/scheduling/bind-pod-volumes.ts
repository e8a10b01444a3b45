import type { ObjectCaches } from "../objects/object-caches.ts";
import { annotationsOf } from "../objects/object-meta.ts";
import { Annotations } from "../volumes/volume-rules.ts";
import { createVolumeWrites, versionOf } from "../volumes/volume-writes.ts";
import type { VolumePlan } from "./pod-volumes.ts";

/** Reserves volumes and asks provisioners for a pod that goes to the node. True when there is nothing left to wait for. */
export async function bindPodVolumes(caches: ObjectCaches, plan: VolumePlan, node: string): Promise<boolean> {
  const { reserve } = createVolumeWrites(caches);
  await Promise.all(plan.bindings.map(({ volume, claim }) => reserve(volume, claim)));
  const asked = plan.provisions.filter((claim) => annotationsOf(claim)[Annotations.selectedNode] === undefined);
  const annotations = { [Annotations.selectedNode]: node };
  await Promise.all(
    asked.map((claim) =>
      caches.persistentVolumeClaims.patch(claim, { metadata: { ...versionOf(claim), annotations } }),
    ),
  );
  return plan.bindings.length + plan.provisions.length === 0;
}
