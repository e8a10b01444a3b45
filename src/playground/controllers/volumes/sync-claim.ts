// What becomes of a claim at each look: it is given a volume, waits for one, or has lost its own.
import { Kinds } from "#api/kinds";
import type { PersistentVolumeClaim } from "#api/kubernetes/gen/types";
import type { ControllerContext } from "../controller.ts";
import { annotationsOf, identityOf } from "../objects/object-meta.ts";
import { createProvisioning } from "./claim-provisioning.ts";
import { Annotations, classNameOf, findVolume, isBoundTo, waitsForConsumer, whyNotSatisfied } from "./volume-rules.ts";
import { VOLUME_EVENTS, type VolumeWrites } from "./volume-writes.ts";

type Sync = (claim: PersistentVolumeClaim) => Promise<void>;

/** No controller has brought its binding to an end yet. */
export function isUnbound(claim: PersistentVolumeClaim): boolean {
  return annotationsOf(claim)[Annotations.bindCompleted] === undefined;
}

export function createClaimSync(context: ControllerContext, writes: VolumeWrites): Sync {
  const unbound = createUnboundSync(context, writes);
  const bound = createBoundSync(context, writes);
  return (claim) => (isUnbound(claim) ? unbound(claim) : bound(claim));
}

function warner({ events }: ControllerContext) {
  return (object: PersistentVolumeClaim, reason: string, message: string) =>
    events.record(VOLUME_EVENTS, { type: Kinds.PersistentVolumeClaim, object }, { type: "Warning", reason, message });
}

function createUnboundSync(context: ControllerContext, writes: VolumeWrites): Sync {
  const { persistentVolumes: volumes, storageClasses } = context.caches;
  const provisioning = createProvisioning(context);
  const warn = warner(context);
  const pending = (claim: PersistentVolumeClaim) => writes.setClaimStatus(claim, "Pending");

  /** It asks for this volume and no other. */
  const syncNamed = async (claim: PersistentVolumeClaim, name: string): Promise<void> => {
    const volume = volumes.get("", name);
    const quoted = JSON.stringify(name);
    if (volume === undefined) {
      await pending(claim);
    } else if (volume.spec?.claimRef === undefined) {
      const why = whyNotSatisfied(volume, claim);
      if (why === undefined) return writes.bind(volume, claim);
      warn(claim, "VolumeMismatch", `Cannot bind to requested volume ${quoted}: ${why}`);
      await pending(claim);
    } else if (isBoundTo(volume, claim)) {
      await writes.bind(volume, claim);
    } else {
      warn(claim, "FailedBinding", `volume ${quoted} already bound to a different claim.`);
      if (annotationsOf(claim)[Annotations.boundByController] === undefined) await pending(claim);
    }
  };

  return async (claim) => {
    if (claim.spec?.volumeName) return syncNamed(claim, claim.spec.volumeName);
    const delayed = waitsForConsumer(storageClasses.get("", classNameOf(claim)));
    const volume = findVolume(claim, [...volumes.all()], { delayed });
    if (volume !== undefined) return writes.bind(volume, claim);
    if (await provisioning.wants(claim, delayed)) await pending(claim);
  };
}

function createBoundSync(context: ControllerContext, writes: VolumeWrites): Sync {
  const { persistentVolumes: volumes } = context.caches;
  const warn = warner(context);
  const lost = async (claim: PersistentVolumeClaim, reason: string, message: string): Promise<void> => {
    if (claim.status?.phase === "Lost") return;
    warn(await writes.setClaimStatus(claim, "Lost"), reason, message);
  };
  return async (claim) => {
    const name = claim.spec?.volumeName;
    const gone = "Data on the volume is lost!";
    if (!name) return lost(claim, "ClaimLost", `Bound claim has lost reference to PersistentVolume. ${gone}`);
    const volume = volumes.get("", name) ?? (await volumes.fetch("", name));
    if (volume === undefined) return lost(claim, "ClaimLost", `Bound claim has lost its PersistentVolume. ${gone}`);
    const reference = volume.spec?.claimRef;
    if (reference === undefined || reference.uid === identityOf(claim).uid) return writes.bind(volume, claim);
    const message = "Two claims are bound to the same volume, this one is bound incorrectly";
    return lost(claim, "ClaimMisbound", message);
  };
}
