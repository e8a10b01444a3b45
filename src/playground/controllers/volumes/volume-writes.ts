// What binds a claim and a volume, written step by step: each is done again where the last attempt ended. Every write
// holds the version that it was decided on.
import { apiVersionOf, Kinds } from "#api/kinds";
import type { PersistentVolume, PersistentVolumeClaim } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import type { ObjectCaches } from "../objects/object-caches.ts";
import { annotationsOf, identityOf } from "../objects/object-meta.ts";
import { Annotations, isBoundTo } from "./volume-rules.ts";

/** Who the events about claims and volumes are from. */
export const VOLUME_EVENTS = "persistentvolume-controller";

export type VolumeWrites = ReturnType<typeof createVolumeWrites>;

export function createVolumeWrites(caches: ObjectCaches) {
  const { persistentVolumes } = caches;
  const { reserve, setVolumePhase } = writesToVolumes(caches);
  const { nameVolume, setClaimStatus } = writesToClaims(caches);
  return {
    reserve,
    setVolumePhase,
    setClaimStatus,

    async bind(volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<void> {
      const bound = await setVolumePhase(await reserve(volume, claim), "Bound");
      await setClaimStatus(await nameVolume(claim, bound), "Bound", bound);
    },

    /** Takes back what `reserve` did; a wish of the volume's maker stays one. */
    async unbind(volume: PersistentVolume): Promise<void> {
      const ours = annotationsOf(volume)[Annotations.boundByController] !== undefined;
      const free = await persistentVolumes.patch(volume, {
        metadata: { ...versionOf(volume), ...(ours ? { annotations: { [Annotations.boundByController]: null } } : {}) },
        spec: { claimRef: ours ? null : { uid: null } },
      });
      await setVolumePhase(free, "Available");
    },
  };
}

function writesToVolumes({ persistentVolumes }: ObjectCaches) {
  /** The volume's half: from here on no other claim can have it. */
  const reserve = async (volume: PersistentVolume, claim: PersistentVolumeClaim): Promise<PersistentVolume> => {
    const { uid, ...at } = identityOf(claim);
    const reference = volume.spec?.claimRef;
    const marked = isBoundTo(volume, claim) || annotationsOf(volume)[Annotations.boundByController] !== undefined;
    if (reference?.uid === uid && isBoundTo(volume, claim)) return volume;
    const resourceVersion = claim.metadata?.resourceVersion;
    const { kind } = Kinds.PersistentVolumeClaim;
    const claimRef = { kind, apiVersion: apiVersionOf(Kinds.PersistentVolumeClaim), ...at, uid, resourceVersion };
    return persistentVolumes.patch(volume, {
      metadata: {
        ...versionOf(volume),
        ...(marked ? {} : { annotations: { [Annotations.boundByController]: "yes" } }),
      },
      spec: { claimRef },
    });
  };

  const setVolumePhase = async (volume: PersistentVolume, phase: string, message = ""): Promise<PersistentVolume> => {
    if (volume.status?.phase === phase) return volume;
    const status = { phase, message: message === "" ? null : message };
    return persistentVolumes.patch(volume, { metadata: versionOf(volume), status }, { subresource: "status" });
  };

  return { reserve, setVolumePhase };
}

function writesToClaims({ persistentVolumeClaims }: ObjectCaches) {
  /** The claim's half. */
  const nameVolume = async (claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<PersistentVolumeClaim> => {
    const { name } = identityOf(volume);
    const has = (annotation: string) => annotationsOf(claim)[annotation] !== undefined;
    const named = claim.spec?.volumeName === name;
    if (named && has(Annotations.bindCompleted)) return claim;
    const ours = named || has(Annotations.boundByController) ? {} : { [Annotations.boundByController]: "yes" };
    return persistentVolumeClaims.patch(claim, {
      metadata: { ...versionOf(claim), annotations: { ...ours, [Annotations.bindCompleted]: "yes" } },
      spec: { volumeName: name },
    });
  };

  /** Without a volume the claim has neither modes nor capacity. */
  const setClaimStatus = async (
    claim: PersistentVolumeClaim,
    phase: string,
    volume?: PersistentVolume,
  ): Promise<PersistentVolumeClaim> => {
    const old = claim.status ?? {};
    const entering = old.phase !== phase;
    const wanted = {
      phase,
      accessModes: volume?.spec?.accessModes,
      // The capacity of a bound claim may differ from its volume's on purpose.
      capacity: volume !== undefined && !entering ? old.capacity : volume?.spec?.capacity,
      currentVolumeAttributesClassName:
        volume !== undefined && !entering
          ? old.currentVolumeAttributesClassName
          : volume?.spec?.volumeAttributesClassName,
    };
    const status = changesOf(old, wanted);
    if (Object.keys(status).length === 0) return claim;
    return persistentVolumeClaims.patch(claim, { metadata: versionOf(claim), status }, { subresource: "status" });
  };

  return { nameVolume, setClaimStatus };
}

/** For the metadata of a patch: it fails when somebody else has written meanwhile. */
export function versionOf(object: KubeObject): { resourceVersion: string } {
  return { resourceVersion: object.metadata?.resourceVersion ?? "" };
}

/** As a merge patch: what is wanted no more becomes null. */
function changesOf(old: object, wanted: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const before: Readonly<Record<string, unknown>> = { ...old };
  const changed = Object.entries(wanted).filter(
    ([key, value]) => JSON.stringify(before[key]) !== JSON.stringify(value),
  );
  return Object.fromEntries(changed.map(([key, value]) => [key, value ?? null]));
}
