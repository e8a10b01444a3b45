// The claims of a pod: those that it names, and those that are made for it.
import type { PersistentVolumeClaim, Pod, Volume } from "#api/kubernetes/gen/types";
import { controllerOf, identityOf } from "../objects/object-meta.ts";

export interface PodClaim {
  readonly name: string;
  /** Of a claim that lives and dies with the pod: the volume that it is made for. */
  readonly ephemeral: Volume | undefined;
}

export function claimsOfPod(pod: Pod): PodClaim[] {
  return (pod.spec?.volumes ?? []).flatMap((volume): PodClaim[] => {
    const named = volume.persistentVolumeClaim?.claimName;
    if (named !== undefined) return [{ name: named, ephemeral: undefined }];
    return volume.ephemeral === undefined ? [] : [{ name: ephemeralName(pod, volume), ephemeral: volume }];
  });
}

export function claimNames(pod: Pod): string[] {
  return claimsOfPod(pod).map(({ name }) => name);
}

export function ephemeralName(pod: Pod, volume: Volume): string {
  return `${identityOf(pod).name}-${volume.name}`;
}

/** Why a claim that has the name of a pod's ephemeral volume is not it; undefined when it is. */
export function whyNotForPod(pod: Pod, claim: PersistentVolumeClaim): string | undefined {
  const [own, other] = [identityOf(pod), identityOf(claim)];
  if (own.namespace === other.namespace && controllerOf(claim)?.uid === own.uid) return undefined;
  const names = `PVC ${other.namespace}/${other.name} was not created for pod ${own.namespace}/${own.name}`;
  return `${names} (pod is not owner)`;
}
