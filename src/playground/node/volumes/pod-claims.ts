// The volumes behind the claims of a pod. A node may only get a claim or a volume of its own pods, never watch one: so
// it asks, until each is bound.
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import { errorMessage, MeshError } from "#base/mesh-error";

export interface ClaimReader {
  /** Throws KubeError. */
  getClaim(namespace: string, name: string): Promise<PersistentVolumeClaim>;
  /** Throws KubeError. */
  getVolume(name: string): Promise<PersistentVolume>;
}

export interface PodClaims {
  /** The volume that is bound to the claim of the pod's volume. Throws MeshError CLAIM_UNREAD, then CLAIM_PENDING, which says why not yet. */
  get(volume: Volume): PersistentVolume;
  close(): void;
}

interface PodClaimsOptions {
  readonly reader: ClaimReader;
  readonly clock: Clock;
  /** Called when a claim is found bound, or waits for another reason than before. */
  readonly onChange: () => void;
}

const RETRY_MS = { first: 200, max: 2000 } as const;
const PROTECTION = "kubernetes.io/pvc-protection";

/** Asks for all claims of the pod at once and until each is bound. */
export function followPodClaims(pod: Pod, { reader, clock, onChange }: PodClaimsOptions): PodClaims {
  const found = new Map<string, PersistentVolume>();
  const problems = new Map<string, string>();
  const timers = new Map<string, () => void>();
  let closed = false;
  const ask = async (volume: Volume, claimName: string, retryMs: number): Promise<void> => {
    try {
      const bound = await boundVolume(pod, volume, claimName, reader);
      if (closed) return;
      found.set(volume.name, bound);
      onChange();
    } catch (thrown) {
      if (closed) return;
      const problem = errorMessage(thrown);
      const next = Math.min(retryMs * 2, RETRY_MS.max);
      timers.set(
        volume.name,
        clock.schedule(retryMs, () => void ask(volume, claimName, next)),
      );
      if (problems.get(volume.name) === problem) return;
      problems.set(volume.name, problem);
      onChange();
    }
  };
  for (const volume of pod.spec?.volumes ?? []) {
    const name = claimNameOf(pod, volume);
    if (name !== undefined) void ask(volume, name, RETRY_MS.first);
  }
  return {
    get(volume) {
      const bound = found.get(volume.name);
      if (bound !== undefined) return bound;
      const problem = problems.get(volume.name);
      if (problem === undefined)
        throw new MeshError("CLAIM_UNREAD", `the claim of volume ${volume.name} is not read yet`);
      const volumes = `unmounted volumes=[${volume.name}], unattached volumes=[], failed to process volumes=[${volume.name}]`;
      throw new MeshError("CLAIM_PENDING", `Unable to attach or mount volumes: ${volumes}: ${problem}`);
    },
    close() {
      closed = true;
      for (const cancel of timers.values()) cancel();
    },
  };
}

/** Of the volume that is a claim's; undefined for all others. */
export function claimNameOf(pod: Pod, { name, persistentVolumeClaim, ephemeral }: Volume): string | undefined {
  if (persistentVolumeClaim !== undefined) return persistentVolumeClaim.claimName;
  return ephemeral === undefined ? undefined : `${pod.metadata?.name ?? ""}-${name}`;
}

/** Throws in the kubelet's words. */
async function boundVolume(
  pod: Pod,
  volume: Volume,
  claimName: string,
  reader: ClaimReader,
): Promise<PersistentVolume> {
  const namespace = pod.metadata?.namespace ?? "default";
  const wrong = (what: string) => new Error(`error processing PVC ${namespace}/${claimName}: ${what}`);
  const claim = await reader.getClaim(namespace, claimName).catch((thrown: unknown) => {
    throw wrong(`failed to fetch PVC from API server: ${errorMessage(thrown)}`);
  });
  const { metadata = {}, spec = {}, status = {} } = claim;
  if (metadata.deletionTimestamp !== undefined && !metadata.finalizers?.includes(PROTECTION)) {
    throw wrong("PVC is being deleted");
  }
  if (status.phase !== "Bound") throw wrong("PVC is not bound");
  if (!spec.volumeName) throw wrong("PVC has empty pvc.Spec.VolumeName");
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true);
  if (volume.ephemeral !== undefined && owner?.uid !== pod.metadata?.uid) {
    const names = `PVC ${namespace}/${claimName} was not created for pod ${namespace}/${pod.metadata?.name}`;
    throw new Error(`${names} (pod is not owner)`);
  }
  const bound = await reader.getVolume(spec.volumeName).catch((thrown: unknown) => {
    throw wrong(`failed to fetch PV ${spec.volumeName} from API server: ${errorMessage(thrown)}`);
  });
  const reference = bound.spec?.claimRef;
  const object = `found PV object ${spec.volumeName} but`;
  if (reference === undefined) {
    throw wrong(`${object} it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`);
  }
  if (reference.uid !== metadata.uid) {
    const points = `its pv.Spec.ClaimRef.UID ${reference.uid} does not point to claim.UID ${metadata.uid}`;
    throw wrong(`${object} ${points}`);
  }
  return bound;
}
