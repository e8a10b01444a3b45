// One step of a rollout: one kind of change, then a look at what came of it. Every change of a ReplicaSet brings the
// Deployment back here.

import type { Deployment, DeploymentCondition, ReplicaSet } from "#api/kubernetes/gen/types";
import type { ControllerContext } from "../controller.ts";
import { controllerOf, identityOf } from "../objects/object-meta.ts";
import { conditionOf } from "./conditions.ts";
import {
  copiedAnnotations,
  newReplicaSet,
  nextRevision,
  type Revisions,
  surplusRevisions,
} from "./deployment-revisions.ts";
import { isResized, planResize, sizeOf } from "./deployment-scale.ts";
import { hasDeadline, isComplete, setCondition } from "./deployment-status.ts";
import type { DeploymentWriter } from "./deployment-writer.ts";
import { isFinished } from "./pod-state.ts";
import { planRollingUpdate, type ReplicaCounts, rolloutBounds } from "./rolling-update.ts";

export interface RolloutOutcome {
  readonly conditions: readonly DeploymentCondition[];
  /** Whether progress is to be judged: not while paused or resized. */
  readonly judged: boolean;
}

type Conditions = readonly DeploymentCondition[];

export function createRollout(context: ControllerContext, write: DeploymentWriter) {
  const { clock } = context;

  const dropHistory = createHistoryKeeper(context);

  const resize = async (deployment: Deployment, revisions: Revisions, conditions: Conditions) => {
    for (const { set, replicas } of planResize(deployment, revisions)) await write.scale(deployment, set, replicas);
    if (deployment.spec?.paused === true) await dropHistory(deployment, revisions.old);
    return { conditions, judged: false };
  };

  const create = async (deployment: Deployment, revisions: Revisions, conditions: Conditions) => {
    const bounds = rolloutBounds(deployment);
    const recreate = deployment.spec?.strategy?.type === "Recreate";
    const plan = planRollingUpdate(bounds, { desired: 0, available: 0 }, revisions.old.map(countsOf));
    const replicas = recreate ? bounds.replicas : plan.current;
    const revision = nextRevision(revisions);
    const set = await write.create(deployment, newReplicaSet(deployment, replicas, { ...bounds, revision }));
    return {
      conditions: set === undefined ? conditions : found(deployment, set, { conditions, made: true, now: clock.now() }),
      judged: true,
    };
  };

  const roll = async (
    deployment: Deployment,
    revisions: Revisions,
    conditions: Conditions,
  ): Promise<RolloutOutcome> => {
    const { current, old } = revisions;
    if (current === undefined) return create(deployment, revisions, conditions);
    const plan = planRollingUpdate(rolloutBounds(deployment), countsOf(current), old.map(countsOf));
    const grown = await write.scale(deployment, current, plan.current, true);
    if (!grown) {
      const shrink = old.map((set, index) => write.scale(deployment, set, plan.old[index] ?? sizeOf(set), true));
      const shrunk = (await Promise.all(shrink)).includes(true);
      if (!shrunk && isComplete(deployment, deployment.status ?? {})) await dropHistory(deployment, old);
    }
    return { conditions, judged: true };
  };

  const recreate = async (deployment: Deployment, revisions: Revisions, conditions: Conditions) => {
    const { current, old } = revisions;
    const emptied = await Promise.all(
      old.filter((set) => sizeOf(set) > 0).map((set) => write.scale(deployment, set, 0)),
    );
    if (emptied.includes(true) || hasOldPods(context, deployment, old)) return { conditions, judged: true };
    if (current === undefined) return create(deployment, revisions, conditions);
    await write.scale(deployment, current, rolloutBounds(deployment).replicas, true);
    if (isComplete(deployment, deployment.status ?? {})) await dropHistory(deployment, old);
    return { conditions, judged: true };
  };

  return async (deployment: Deployment, revisions: Revisions, before: Conditions): Promise<RolloutOutcome> => {
    const { current } = revisions;
    let conditions = before;
    if (current !== undefined) {
      await write.annotate(deployment, current, copiedAnnotations(deployment, nextRevision(revisions)));
      conditions = found(deployment, current, { conditions: before, made: false, now: clock.now() });
    }
    if (deployment.spec?.paused === true || isResized(deployment, revisions)) {
      return resize(deployment, revisions, conditions);
    }
    const rollOut = deployment.spec?.strategy?.type === "Recreate" ? recreate : roll;
    return rollOut(deployment, revisions, conditions);
  };
}

function found(
  deployment: Deployment,
  set: ReplicaSet,
  { conditions, made, now }: { conditions: Conditions; made: boolean; now: number },
): Conditions {
  const missing = conditionOf(conditions, "Progressing") === undefined;
  if (!hasDeadline(deployment) || (!made && !missing)) return conditions;
  const { name } = identityOf(set);
  const verdict = made
    ? { status: "True", reason: "NewReplicaSetCreated", message: `Created new replica set "${name}"` }
    : { status: "True", reason: "FoundNewReplicaSet", message: `Found new replica set "${name}"` };
  return setCondition(conditions, "Progressing", verdict, now);
}

function hasOldPods({ caches }: ControllerContext, deployment: Deployment, old: readonly ReplicaSet[]): boolean {
  const uids = new Set(old.map((set) => identityOf(set).uid));
  const pods = caches.pods.inNamespace(identityOf(deployment).namespace);
  return pods.some((pod) => uids.has(controllerOf(pod)?.uid ?? "") && !isFinished(pod));
}

function createHistoryKeeper({ caches }: ControllerContext) {
  return (deployment: Deployment, old: readonly ReplicaSet[]) =>
    Promise.all(surplusRevisions(deployment, old).map((set) => caches.replicaSets.delete(set)));
}

function countsOf(set: ReplicaSet): ReplicaCounts {
  return { desired: sizeOf(set), available: set.status?.availableReplicas ?? 0 };
}
