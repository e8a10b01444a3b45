// What becomes of a volume at each look: it is free, bound, or released by a claim that is gone.
import { Kinds, type ResourceType } from "#api/kinds";
import type { PersistentVolume, PersistentVolumeClaim } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import type { ControllerContext } from "../controller.ts";
import { annotationsOf, identityOf } from "../objects/object-meta.ts";
import { volumeEnd } from "./volume-end.ts";
import { Annotations, modesDiffer } from "./volume-rules.ts";
import { VOLUME_EVENTS, type VolumeWrites } from "./volume-writes.ts";

type Sync = (volume: PersistentVolume) => Promise<void>;

/** `again` has a claim looked at that the volume is bound to and that does not say so itself. */
export function createVolumeSync(
  context: ControllerContext,
  writes: VolumeWrites,
  again: (claim: PersistentVolumeClaim) => void,
): Sync {
  const { persistentVolumeClaims: claims } = context.caches;
  const release = createRelease(context, writes);
  const tellMismatch = mismatchTeller(context);

  const boundElsewhere = async (volume: PersistentVolume): Promise<void> => {
    const made = annotationsOf(volume)[Annotations.provisionedBy] !== undefined;
    if (made && volume.spec?.persistentVolumeReclaimPolicy === "Delete") await release(volume);
    else await writes.unbind(volume);
  };

  const claimOf = async ({ spec }: PersistentVolume): Promise<PersistentVolumeClaim | undefined> => {
    const { namespace = "", name = "", uid } = spec?.claimRef ?? {};
    const known = claims.get(namespace, name);
    // Its watch may be behind that of the volumes.
    const claim = known?.metadata?.uid === uid ? known : await claims.fetch(namespace, name);
    return claim?.metadata?.uid === uid ? claim : undefined;
  };

  return async (volume) => {
    if (!volume.spec?.claimRef?.uid) {
      await writes.setVolumePhase(volume, "Available");
      return;
    }
    const claim = await claimOf(volume);
    if (claim === undefined) return release(volume);
    const named = claim.spec?.volumeName;
    if (named === identityOf(volume).name) await writes.setVolumePhase(volume, "Bound");
    else if (named) await boundElsewhere(volume);
    else if (modesDiffer(volume, claim)) tellMismatch(volume, claim);
    else again(claim);
  };
}

function createRelease(context: ControllerContext, writes: VolumeWrites): Sync {
  const warn = warner(context);
  return async (volume) => {
    const keeps = volume.status?.phase === "Released" || volume.status?.phase === "Failed";
    const released = keeps ? volume : await writes.setVolumePhase(volume, "Released");
    const end = volumeEnd(released);
    if (end === "leave") return;
    if (end === "delete") return context.caches.persistentVolumes.delete(released);
    if (released.status?.phase === "Failed") return;
    const failed = await writes.setVolumePhase(released, "Failed", end.message);
    warn(Kinds.PersistentVolume, failed, end.reason, end.message);
  };
}

function mismatchTeller(context: ControllerContext) {
  const warn = warner(context);
  const why = "due to incompatible volumeMode.";
  return (volume: PersistentVolume, claim: PersistentVolumeClaim): void => {
    const [from, to] = [identityOf(volume).name, identityOf(claim).name].map((name) => JSON.stringify(name));
    const ofVolume = `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${to} ${why}`;
    warn(Kinds.PersistentVolume, volume, "VolumeMismatch", ofVolume);
    const ofClaim = `Cannot bind PersistentVolume ${from} to requested PersistentVolumeClaim ${why}`;
    warn(Kinds.PersistentVolumeClaim, claim, "VolumeMismatch", ofClaim);
  };
}

function warner({ events }: ControllerContext) {
  return (type: ResourceType, object: KubeObject, reason: string, message: string) =>
    events.record(VOLUME_EVENTS, { type, object }, { type: "Warning", reason, message });
}
