// What a StatefulSet does to its pods and their claims, each with the event that tells of it.
import { Kinds } from "#api/kinds";
import type { OwnerReference, PersistentVolumeClaim, Pod, StatefulSet } from "#api/kubernetes/gen/types";
import { errorMessage } from "#base/mesh-error";
import type { ControllerContext } from "../controller.ts";
import { controllerReference, identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { claimsOf, isInRange, ordinalOf } from "./stateful-pods.ts";

const SOURCE = "statefulset-controller";

export type StatefulPodControl = ReturnType<typeof createStatefulPodControl>;

export function createStatefulPodControl(context: ControllerContext) {
  const { caches } = context;
  const told = createTeller(context);

  const createClaims = async (set: StatefulSet, pod: Pod) => {
    const podName = identityOf(pod).name;
    for (const claim of claimsOf(set, ordinalOf(set, podName))) {
      const { namespace, name } = identityOf(claim);
      const found = caches.persistentVolumeClaims.get(namespace, name);
      if (found !== undefined && isBeingDeleted(found)) throw new Error(`pvc ${name} is being deleted`);
      if (found !== undefined) continue;
      await told(set, "Create", `Claim ${name} Pod ${podName}`, () => caches.persistentVolumeClaims.create(claim));
    }
  };

  /** Claims follow the retention policy: owned by the set, by a pod that was scaled away, or by nobody. */
  const ownClaims = async (set: StatefulSet, pod: Pod) => {
    for (const wanted of claimsOf(set, ordinalOf(set, identityOf(pod).name))) {
      const { namespace, name } = identityOf(wanted);
      const claim = caches.persistentVolumeClaims.get(namespace, name);
      if (claim === undefined || isBeingDeleted(claim)) continue;
      const owners = claimOwners(set, pod, claim);
      if (JSON.stringify(owners) === JSON.stringify(claim.metadata?.ownerReferences ?? [])) continue;
      const metadata = {
        resourceVersion: claim.metadata?.resourceVersion,
        ownerReferences: owners.length === 0 ? null : owners,
      };
      await caches.persistentVolumeClaims.patch(claim, { metadata });
    }
  };

  return {
    createClaims,
    ownClaims,

    async create(set: StatefulSet, pod: Pod): Promise<void> {
      await createClaims(set, pod);
      await told(set, "Create", `Pod ${identityOf(pod).name}`, () => caches.pods.create(pod));
      await ownClaims(set, pod);
    },

    remove: (set: StatefulSet, pod: Pod): Promise<void> =>
      told(set, "Delete", `Pod ${identityOf(pod).name}`, () => caches.pods.delete(pod)),

    adopt(set: StatefulSet, pod: Pod): Promise<Pod> {
      const owners = [...(pod.metadata?.ownerReferences ?? []), controllerReference(Kinds.StatefulSet, set)];
      return caches.pods.patch(pod, { metadata: { uid: identityOf(pod).uid, ownerReferences: owners } });
    },
  };
}

function createTeller({ events }: ControllerContext) {
  const tell = (set: StatefulSet, type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(SOURCE, { type: Kinds.StatefulSet, object: set }, { type, reason, message });

  /** Does it and tells how it went: `Create Pod db-0 in StatefulSet db successful`. */
  return async (set: StatefulSet, verb: "Create" | "Delete" | "Update", what: string, work: () => Promise<unknown>) => {
    const { name } = identityOf(set);
    const done = what.startsWith("Claim") ? "success" : "successful";
    try {
      await work();
    } catch (thrown) {
      tell(
        set,
        "Warning",
        `Failed${verb}`,
        `${verb} ${what} in StatefulSet ${name} failed error: ${errorMessage(thrown)}`,
      );
      throw thrown;
    }
    tell(set, "Normal", `Successful${verb}`, `${verb} ${what} in StatefulSet ${name} ${done}`);
  };
}

function claimOwners(set: StatefulSet, pod: Pod, claim: PersistentVolumeClaim): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec?.persistentVolumeClaimRetentionPolicy ?? {};
  const ours = new Set([identityOf(set).uid, identityOf(pod).uid]);
  const others = (claim.metadata?.ownerReferences ?? []).filter(({ uid }) => !ours.has(uid));
  const scaledAway = !isInRange(set, ordinalOf(set, identityOf(pod).name));
  if (whenScaled === "Delete" && scaledAway) return [...others, controllerReference(Kinds.Pod, pod)];
  if (whenDeleted === "Delete" && !(whenScaled === "Delete" && scaledAway)) {
    return [...others, controllerReference(Kinds.StatefulSet, set)];
  }
  return others;
}
