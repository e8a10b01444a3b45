import { Kinds } from "#api/kinds";
import type { Pod, ReplicaSet, ReplicaSetCondition } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { errorMessage } from "#base/mesh-error";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import {
  controllerOf,
  controllerReference,
  identityOf,
  isBeingDeleted,
  kubeTime,
  labelsOf,
} from "../objects/object-meta.ts";
import { sameStatus } from "./conditions.ts";
import { claimPods, deletionOrder } from "./owned-pods.ts";
import { podFromTemplate } from "./pod-from-template.ts";
import { isActive } from "./pod-state.ts";
import { observeReplicaSet } from "./replica-set-status.ts";

const SOURCE = "replicaset-controller";
/** Pods made or deleted in one go, as Kubernetes bounds it. */
const BURST = 500;

/** Keeps as many pods of a ReplicaSet's template as it asks for, and counts them into its status. */
export function createReplicaSetController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const control = podControl(context);

  const reconcile = async (key: string) => {
    const replicaSet = caches.replicaSets.getByKey(key);
    if (replicaSet === undefined) return;
    const pods = await claim(replicaSet);
    let failed: unknown;
    try {
      if (!isBeingDeleted(replicaSet)) await scale(replicaSet, pods);
    } catch (thrown) {
      failed = thrown;
    }
    await writeStatus(replicaSet, failed);
    if (failed !== undefined) throw failed;
  };

  const claim = async (replicaSet: ReplicaSet): Promise<Pod[]> => {
    const { owned, adopt, release } = claimPods(replicaSet, caches.pods.inNamespace(identityOf(replicaSet).namespace));
    if (isBeingDeleted(replicaSet)) return owned;
    const adopted = await Promise.all(adopt.map((pod) => control.adopt(replicaSet, pod)));
    await Promise.all(release.map((pod) => control.release(replicaSet, pod)));
    return [...owned, ...adopted];
  };

  const scale = async (replicaSet: ReplicaSet, pods: readonly Pod[]) => {
    const active = pods.filter(isActive);
    const missing = (replicaSet.spec?.replicas ?? 1) - active.length;
    if (missing > 0) await control.createMany(replicaSet, Math.min(missing, BURST));
    const surplus = missing < 0 ? deletionOrder(active, related(replicaSet)).slice(0, Math.min(-missing, BURST)) : [];
    await Promise.all(surplus.map((pod) => control.remove(replicaSet, pod)));
  };

  /** Pods of all ReplicaSets of the same owner: the load of a node is judged over a whole Deployment. */
  const related = (replicaSet: ReplicaSet): Pod[] => {
    const { namespace, uid } = identityOf(replicaSet);
    const owner = controllerOf(replicaSet)?.uid;
    const sets = caches.replicaSets.inNamespace(namespace).filter((set) => owner && controllerOf(set)?.uid === owner);
    const uids = new Set([uid, ...sets.map((set) => identityOf(set).uid)]);
    return caches.pods.inNamespace(namespace).filter((pod) => uids.has(controllerOf(pod)?.uid ?? ""));
  };

  const writeStatus = async (replicaSet: ReplicaSet, failed: unknown) => {
    const current = caches.replicaSets.getByKey(objectKey(replicaSet));
    if (current === undefined || identityOf(current).uid !== identityOf(replicaSet).uid) return;
    const { owned } = claimPods(current, caches.pods.inNamespace(identityOf(current).namespace));
    const now = clock.now();
    const failure = failed === undefined ? undefined : replicaFailure(failed, now);
    const { status, nextLookMs } = observeReplicaSet(current, owned, now, failure);
    if (nextLookMs !== undefined) queue.addAfter(objectKey(current), nextLookMs);
    if (sameStatus(current.status, status)) return;
    await caches.replicaSets.replace({ ...current, status }, "status");
  };

  const queue = new WorkQueue({ name: "replica-set", clock, logger, reconcile });
  caches.replicaSets.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  caches.pods.onChange(({ object, old }) => {
    for (const pod of old === undefined ? [object] : [object, old]) {
      for (const replicaSet of interestedIn(pod, caches.replicaSets.inNamespace(identityOf(pod).namespace))) {
        queue.add(objectKey(replicaSet));
      }
    }
  });
  return controllerComponent(queue, [caches.replicaSets, caches.pods]);
}

/** The pod's controller, or for an orphan every ReplicaSet that might adopt it. */
function interestedIn(pod: Pod, replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  const controller = controllerOf(pod);
  if (controller !== undefined) return replicaSets.filter((candidate) => identityOf(candidate).uid === controller.uid);
  return replicaSets.filter(({ spec }) => spec !== undefined && matchesSelector(spec.selector, labelsOf(pod)));
}

function replicaFailure(failed: unknown, now: number): ReplicaSetCondition {
  const text = { reason: "FailedCreate", message: errorMessage(failed) };
  return { type: "ReplicaFailure", status: "True", lastTransitionTime: kubeTime(now), ...text };
}

function podControl({ caches, events }: ControllerContext) {
  const tell = (replicaSet: ReplicaSet, type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(SOURCE, { type: Kinds.ReplicaSet, object: replicaSet }, { type, reason, message });

  const create = async (replicaSet: ReplicaSet) => {
    try {
      const pod = await caches.pods.create(podFromTemplate(Kinds.ReplicaSet, replicaSet, replicaSet.spec?.template));
      tell(replicaSet, "Normal", "SuccessfulCreate", `Created pod: ${identityOf(pod).name}`);
    } catch (thrown) {
      tell(replicaSet, "Warning", "FailedCreate", `Error creating: ${errorMessage(thrown)}`);
      throw thrown;
    }
  };

  return {
    /** One first: what fails for one fails for all (quota, webhook), and is then asked once only. */
    async createMany(replicaSet: ReplicaSet, count: number): Promise<void> {
      await create(replicaSet);
      const rest = await Promise.allSettled(Array.from({ length: count - 1 }, () => create(replicaSet)));
      for (const result of rest) if (result.status === "rejected") throw result.reason;
    },
    async remove(replicaSet: ReplicaSet, pod: Pod): Promise<void> {
      await caches.pods.delete(pod);
      tell(replicaSet, "Normal", "SuccessfulDelete", `Deleted pod: ${identityOf(pod).name}`);
    },
    adopt(replicaSet: ReplicaSet, pod: Pod): Promise<Pod> {
      const owners = [...(pod.metadata?.ownerReferences ?? []), controllerReference(Kinds.ReplicaSet, replicaSet)];
      return caches.pods.patch(pod, { metadata: { uid: identityOf(pod).uid, ownerReferences: owners } });
    },
    release(replicaSet: ReplicaSet, pod: Pod): Promise<Pod> {
      const { uid } = identityOf(replicaSet);
      const owners = (pod.metadata?.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
      const ownerReferences = owners.length === 0 ? null : owners;
      return caches.pods.patch(pod, { metadata: { uid: identityOf(pod).uid, ownerReferences } });
    },
  };
}
