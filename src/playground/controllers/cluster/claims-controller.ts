import { Kinds } from "#api/kinds";
import type { PersistentVolumeClaim, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { isFinished } from "../workloads/pod-state.ts";

const PROTECTION = "kubernetes.io/pvc-protection";

/** Tells why a claim stays unbound (there are no volumes here), and lets one that is being deleted go when unused. */
export function createClaimsController(context: ControllerContext): Component {
  const { caches, clock, logger, events } = context;

  const reconcile = async (key: string) => {
    const claim = caches.persistentVolumeClaims.getByKey(key);
    if (claim === undefined) return;
    if (isBeingDeleted(claim)) return release(claim);
    if (claim.status?.phase !== "Pending" || claim.spec?.storageClassName) return;
    const message = "no persistent volumes available for this claim and no storage class is set";
    const about = { type: Kinds.PersistentVolumeClaim, object: claim };
    events.record("persistentvolume-controller", about, { type: "Normal", reason: "FailedBinding", message });
  };

  const release = async (claim: PersistentVolumeClaim) => {
    const { namespace, name } = identityOf(claim);
    const finalizers = claim.metadata?.finalizers ?? [];
    if (!finalizers.includes(PROTECTION)) return;
    const pods = caches.pods.inNamespace(namespace);
    if (pods.some((pod) => !isFinished(pod) && claimNames(pod).includes(name))) return;
    const kept = finalizers.filter((finalizer) => finalizer !== PROTECTION);
    const metadata = { uid: identityOf(claim).uid, finalizers: kept.length === 0 ? null : kept };
    await caches.persistentVolumeClaims.patch(claim, { metadata });
  };

  const queue = new WorkQueue({ name: "claims", clock, logger, reconcile });
  caches.persistentVolumeClaims.onChange(({ object, old, deleted }) => {
    if (!deleted && (old === undefined || isBeingDeleted(object))) queue.add(objectKey(object));
  });
  caches.pods.onChange(({ object, deleted }) => {
    if (!deleted && !isFinished(object)) return;
    for (const name of claimNames(object)) queue.add(`${identityOf(object).namespace}/${name}`);
  });
  return controllerComponent(queue, [caches.persistentVolumeClaims, caches.pods]);
}

/** Names of the claims that the pod mounts. */
export function claimNames({ spec }: Pod): string[] {
  return (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim }) =>
    persistentVolumeClaim === undefined ? [] : [persistentVolumeClaim.claimName],
  );
}
