// Brings claims and volumes together, and tells of both how they stand.
import type { PersistentVolume, PersistentVolumeClaim } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf } from "../objects/object-meta.ts";
import { createClaimSync, isUnbound } from "./sync-claim.ts";
import { createVolumeSync } from "./sync-volume.ts";
import { classNameOf, isBoundTo, namesClass } from "./volume-rules.ts";
import { createVolumeWrites } from "./volume-writes.ts";

export function createVolumeBinder(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const { persistentVolumes: volumes, persistentVolumeClaims: claims, storageClasses } = caches;
  const queue = new WorkQueue({
    name: "volume-binder",
    clock,
    logger,
    // Two at once could give one volume to two claims.
    workers: 1,
    reconcile: (key) => syncers[key.slice(0, key.indexOf("/"))]?.(key.slice(key.indexOf("/") + 1)) ?? Promise.resolve(),
  });
  const writes = createVolumeWrites(caches);
  const syncClaim = createClaimSync(context, writes);
  const syncVolume = createVolumeSync(context, writes, (claim) => queue.add(`claims/${objectKey(claim)}`));
  const syncers: Readonly<Record<string, (key: string) => Promise<void>>> = {
    claims: async (key) => {
      const claim = claims.getByKey(key);
      if (claim !== undefined) await syncClaim(claim);
    },
    volumes: async (key) => {
      const volume = volumes.getByKey(key);
      if (volume !== undefined) await syncVolume(volume);
    },
  };
  const addUnbound = (concerns: (claim: PersistentVolumeClaim) => boolean) => {
    for (const claim of claims.all()) if (isUnbound(claim) && concerns(claim)) queue.add(`claims/${objectKey(claim)}`);
  };
  claims.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(`claims/${objectKey(object)}`);
    for (const volume of volumes.all()) if (isBoundTo(volume, object)) queue.add(`volumes/${identityOf(volume).name}`);
  });
  volumes.onChange(({ object, old, deleted }) => {
    const { namespace, name } = object.spec?.claimRef ?? {};
    if (!deleted) queue.add(`volumes/${identityOf(object).name}`);
    if (name !== undefined) queue.add(`claims/${namespace}/${name}`);
    const isFree = ({ status }: PersistentVolume) => status?.phase === "Available";
    if (!deleted && isFree(object) && (old === undefined || !isFree(old)))
      addUnbound((claim) => mayWant(claim, object));
  });
  storageClasses.onChange(({ object }) =>
    addUnbound((claim) => !namesClass(claim) || classNameOf(claim) === identityOf(object).name),
  );
  return controllerComponent(queue, [volumes, claims, storageClasses, caches.pods]);
}

function mayWant(claim: PersistentVolumeClaim, volume: PersistentVolume): boolean {
  const named = claim.spec?.volumeName === identityOf(volume).name;
  return named || isBoundTo(volume, claim) || classNameOf(claim) === classNameOf(volume);
}
