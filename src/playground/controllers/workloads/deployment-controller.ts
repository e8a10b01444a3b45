import { Kinds } from "#api/kinds";
import type { Deployment, Pod, ReplicaSet } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { KubeError } from "#kube/kube-client";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import {
  annotationsOf,
  controllerOf,
  controllerReference,
  identityOf,
  isBeingDeleted,
} from "../objects/object-meta.ts";
import {
  claimReplicaSets,
  newReplicaSet,
  nextRevision,
  REVISION,
  type Revisions,
  replicaSetAnnotations,
  revisionOf,
  sizeAnnotations,
  sortRevisions,
  surplusRevisions,
} from "./deployment-revisions.ts";
import { observeDeployment, sameDeploymentStatus } from "./deployment-status.ts";
import { isFinished } from "./pod-state.ts";
import { sameTemplate } from "./pod-template-hash.ts";
import { planRollingUpdate, type ReplicaCounts, type RolloutStep, rolloutBounds } from "./rolling-update.ts";

const SOURCE = "deployment-controller";

/** Rolls a Deployment's template out over ReplicaSets, and sums their status up. */
export function createDeploymentController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const rollout = createRollout(context);

  const reconcile = async (key: string) => {
    const deployment = caches.deployments.getByKey(key);
    if (deployment === undefined) return;
    if (!isBeingDeleted(deployment)) await rollout(deployment);
    await writeStatus(key);
  };

  const writeStatus = async (key: string) => {
    const deployment = caches.deployments.getByKey(key);
    if (deployment === undefined) return;
    const replicaSets = caches.replicaSets.inNamespace(identityOf(deployment).namespace);
    const revisions = sortRevisions(deployment, claimReplicaSets(deployment, replicaSets).owned);
    const { status, deadlineMs } = observeDeployment(deployment, revisions, clock.now());
    if (deadlineMs !== undefined) queue.addAfter(key, Math.max(deadlineMs, 0) + 1000);
    if (sameDeploymentStatus(deployment.status, status)) return;
    await caches.deployments.patch(deployment, { status }, { subresource: "status" });
  };

  const queue = new WorkQueue({ name: "deployment", clock, logger, reconcile });
  const addOwner = (namespace: string, owned: ReplicaSet | undefined) => {
    const owner = owned && controllerOf(owned);
    if (owner?.kind === "Deployment") queue.add(`${namespace}/${owner.name}`);
  };
  caches.deployments.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  caches.replicaSets.onChange(({ object }) => addOwner(identityOf(object).namespace, object));
  caches.pods.onChange(({ object, deleted }) => {
    // Strategy Recreate waits for the last old pod to be gone.
    if (!deleted && !isFinished(object)) return;
    const { namespace } = identityOf(object);
    addOwner(namespace, caches.replicaSets.get(namespace, controllerOf(object)?.name ?? ""));
  });
  return controllerComponent(queue, [caches.deployments, caches.replicaSets, caches.pods]);
}

/** One step of one Deployment: adopt, plan, make or scale ReplicaSets, write the revision, drop old history. */
function createRollout(context: ControllerContext): (deployment: Deployment) => Promise<void> {
  const { caches } = context;
  const write = createReplicaSetWriter(context);

  const findRevisions = async (deployment: Deployment): Promise<Revisions> => {
    const replicaSets = caches.replicaSets.inNamespace(identityOf(deployment).namespace);
    const { owned, adopt } = claimReplicaSets(deployment, replicaSets);
    const adopted = await Promise.all(adopt.map((set) => write.adopt(deployment, set)));
    return sortRevisions(deployment, [...owned, ...adopted]);
  };

  return async (deployment) => {
    const revisions = await findRevisions(deployment);
    const { current, old } = revisions;
    const bounds = rolloutBounds(deployment);
    const pods = caches.pods.inNamespace(identityOf(deployment).namespace);
    const step = planStep(deployment, revisions, pods);
    if (step === undefined) return;
    const numbers = { ...bounds, revision: nextRevision(revisions) };
    if (current !== undefined) {
      const annotations = replicaSetAnnotations(deployment, numbers);
      await write.scale(deployment, current, step.current, annotations);
    } else if (step.current !== undefined) {
      await write.create(deployment, newReplicaSet(deployment, step.current, numbers));
    }
    const scaleOld = async (set: ReplicaSet, index: number) => {
      // Empty history stays as it was.
      if (countsOf(set).desired > 0) await write.scale(deployment, set, step.old[index], sizeAnnotations(bounds));
    };
    await Promise.all(old.map(scaleOld));
    if (current !== undefined || step.current !== undefined) await write.revision(deployment, numbers.revision);
    await Promise.all(surplusRevisions(deployment, old).map((set) => caches.replicaSets.delete(set)));
  };
}

/** undefined counts mean: leave it, or make none yet. The whole is undefined when there is nothing to decide. */
interface PlannedStep extends Omit<RolloutStep, "current"> {
  readonly current: number | undefined;
}

export function planStep(
  deployment: Deployment,
  { current, old }: Revisions,
  podsOfNamespace: readonly Pod[],
): PlannedStep | undefined {
  const bounds = rolloutBounds(deployment);
  const oldCounts = old.map(countsOf);
  if (deployment.spec?.paused === true) {
    // Paused: only the size may change, and only where one ReplicaSet has it all.
    const active = old.filter((set) => countsOf(set).desired > 0);
    return current !== undefined && active.length === 0
      ? { current: bounds.replicas, old: oldCounts.map(({ desired }) => desired) }
      : undefined;
  }
  if (deployment.spec?.strategy?.type === "Recreate") {
    const oldUids = new Set(old.map((set) => identityOf(set).uid));
    const running = podsOfNamespace.some((pod) => oldUids.has(controllerOf(pod)?.uid ?? "") && !isFinished(pod));
    const waits = running || oldCounts.some(({ desired }) => desired > 0);
    return { current: waits ? undefined : bounds.replicas, old: old.map(() => 0) };
  }
  const currentCounts = current === undefined ? { desired: 0, available: 0 } : countsOf(current);
  return planRollingUpdate(bounds, currentCounts, oldCounts);
}

function countsOf({ spec, status }: ReplicaSet): ReplicaCounts {
  return { desired: spec?.replicas ?? 1, available: status?.availableReplicas ?? 0 };
}

/** Whether the name belongs to another template or to another living owner, so that we need another name. */
function isHeldByOther(deployment: Deployment, wanted: ReplicaSet, holder: ReplicaSet): boolean {
  const owner = controllerOf(holder);
  // A Deployment of this name with another uid is our predecessor: its end frees or deletes what it had.
  if (isBeingDeleted(holder) || (owner?.kind === "Deployment" && owner.name === identityOf(deployment).name)) {
    return (
      owner?.uid === identityOf(deployment).uid &&
      !sameTemplate(holder.spec?.template ?? {}, wanted.spec?.template ?? {})
    );
  }
  return owner !== undefined;
}

function createReplicaSetWriter({ caches, events }: ControllerContext) {
  const tellScaled = (deployment: Deployment, set: ReplicaSet, from: number, to: number) => {
    const direction = to > from ? "up" : "down";
    const message = `Scaled ${direction} replica set ${identityOf(set).name} from ${from} to ${to}`;
    const about = { type: Kinds.Deployment, object: deployment };
    events.record(SOURCE, about, { type: "Normal", reason: "ScalingReplicaSet", message });
  };

  return {
    adopt(deployment: Deployment, set: ReplicaSet): Promise<ReplicaSet> {
      const owners = [...(set.metadata?.ownerReferences ?? []), controllerReference(Kinds.Deployment, deployment)];
      return caches.replicaSets.patch(set, { metadata: { uid: identityOf(set).uid, ownerReferences: owners } });
    },

    async create(deployment: Deployment, set: ReplicaSet): Promise<void> {
      try {
        await caches.replicaSets.create(set);
      } catch (thrown) {
        if (!(thrown instanceof KubeError && thrown.reason === "AlreadyExists")) throw thrown;
        const { namespace, name } = identityOf(set);
        const holder = await caches.replicaSets.fetch(namespace, name);
        // Ours, or an orphan to adopt, or about to go: the cache was behind, and the next look decides.
        if (holder === undefined || !isHeldByOther(deployment, set, holder)) throw thrown;
        const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
        await caches.deployments.patch(deployment, { status: { collisionCount } }, { subresource: "status" });
        return;
      }
      tellScaled(deployment, set, 0, set.spec?.replicas ?? 0);
    },

    /** Writes only what differs; `replicas` undefined leaves the size. */
    async scale(
      deployment: Deployment,
      set: ReplicaSet,
      ...[replicas, annotations]: [number | undefined, Record<string, string>]
    ): Promise<void> {
      const before = set.spec?.replicas ?? 1;
      const resized = replicas !== undefined && replicas !== before;
      const annotated = Object.entries(annotations).some(([key, value]) => annotationsOf(set)[key] !== value);
      const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
      const patience = minReadySeconds !== (set.spec?.minReadySeconds ?? 0);
      if (!resized && !annotated && !patience) return;
      const spec = { ...(resized ? { replicas } : {}), ...(patience ? { minReadySeconds } : {}) };
      await caches.replicaSets.patch(set, { metadata: { annotations }, spec });
      if (resized) tellScaled(deployment, set, before, replicas);
    },

    async revision(deployment: Deployment, revision: number): Promise<void> {
      if (revisionOf(deployment) === revision) return;
      await caches.deployments.patch(deployment, { metadata: { annotations: { [REVISION]: String(revision) } } });
    },
  };
}
