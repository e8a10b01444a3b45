import { Kinds } from "#api/kinds";
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { annotationsOf, controllerOf, identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { conditionOf, sameStatus } from "./conditions.ts";
import { claimReplicaSets, REVISION, type Revisions, revisionOf, sortRevisions } from "./deployment-revisions.ts";
import { createRollout, type RolloutOutcome } from "./deployment-rollout.ts";
import { countReplicas, hasDeadline, judgeProgress, setCondition, untilDeadline } from "./deployment-status.ts";
import { createDeploymentWriter } from "./deployment-writer.ts";
import { isFinished } from "./pod-state.ts";

const SOURCE = "deployment-controller";

/** Rolls a Deployment's template out over ReplicaSets, and sums their status up. */
export function createDeploymentController(context: ControllerContext): Component {
  const { caches, clock, logger, events } = context;
  const write = createDeploymentWriter(context);
  const rollout = createRollout(context, write);

  const reconcile = async (key: string) => {
    const deployment = caches.deployments.getByKey(key);
    if (deployment === undefined) return;
    if (selectsAll(deployment)) return refuse(deployment);
    const conditions = pausedConditions(deployment, clock.now());
    if (isBeingDeleted(deployment)) return writeStatus(deployment, { conditions, judged: false });
    const { owned, adopt } = claimReplicaSets(deployment, setsBeside(deployment));
    const adopted = await Promise.all(adopt.map((set) => write.adopt(deployment, set)));
    await writeStatus(
      deployment,
      await rollout(deployment, sortRevisions(deployment, [...owned, ...adopted]), conditions),
    );
  };

  const setsBeside = (deployment: Deployment) => caches.replicaSets.inNamespace(identityOf(deployment).namespace);

  const refuse = async (deployment: Deployment) => {
    const message = "This deployment is selecting all pods. A non-empty selector is required.";
    const about = { type: Kinds.Deployment, object: deployment };
    events.record(SOURCE, about, { type: "Warning", reason: "SelectingAll", message });
    const observedGeneration = deployment.metadata?.generation ?? 0;
    if ((deployment.status?.observedGeneration ?? 0) >= observedGeneration) return;
    await caches.deployments.patch(deployment, { status: { observedGeneration } }, { subresource: "status" });
  };

  const writeStatus = async (before: Deployment, { conditions, judged }: RolloutOutcome) => {
    const key = objectKey(before);
    const deployment = caches.deployments.getByKey(key);
    if (deployment === undefined) return;
    const revisions = sortRevisions(deployment, claimReplicaSets(deployment, setsBeside(deployment)).owned);
    const now = clock.now();
    // Of the generation that was looked at: a newer one is looked at next.
    const observed = { ...deployment, metadata: { ...deployment.metadata, ...generationOf(before) } };
    const counted = countReplicas(observed, revisions, conditions, now);
    const status = judged ? judgeProgress(observed, revisions, counted, conditions, now) : counted;
    const wait = untilDeadline(deployment, status, now);
    if (wait !== undefined) queue.addAfter(key, wait + 1000);
    await writeChanges(deployment, revisions, status);
  };

  const writeChanges = async (deployment: Deployment, { current }: Revisions, status: DeploymentStatus) => {
    const revision = current === undefined ? undefined : annotationsOf(current)[REVISION];
    const renumbered = revision !== undefined && revisionOf(deployment) !== Number(revision);
    if (!renumbered && sameStatus(deployment.status, status)) return;
    const annotations = renumbered ? { ...annotationsOf(deployment), [REVISION]: revision } : annotationsOf(deployment);
    const metadata = { ...deployment.metadata, annotations };
    await caches.deployments.replace({ ...deployment, metadata, status }, "status");
  };

  const queue = new WorkQueue({ name: "deployment", clock, logger, reconcile });
  listen(context, queue);
  return controllerComponent(queue, [caches.deployments, caches.replicaSets, caches.pods]);
}

/** Every change of a Deployment, of what it owns or might adopt, brings it to the queue. */
function listen({ caches }: ControllerContext, queue: WorkQueue): void {
  const addOwner = (namespace: string, owned: ReplicaSet | undefined) => {
    const owner = owned && controllerOf(owned);
    if (owner?.kind === "Deployment") queue.add(`${namespace}/${owner.name}`);
    else if (owned !== undefined && owner === undefined) addAdopters(owned);
  };
  const addAdopters = (orphan: ReplicaSet) => {
    for (const deployment of caches.deployments.inNamespace(identityOf(orphan).namespace)) {
      if (claimReplicaSets(deployment, [orphan]).adopt.length > 0) queue.add(objectKey(deployment));
    }
  };
  caches.deployments.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  caches.replicaSets.onChange(({ object, deleted }) => {
    if (!deleted || controllerOf(object) !== undefined) addOwner(identityOf(object).namespace, object);
  });
  caches.pods.onChange(({ object, deleted }) => {
    // Strategy Recreate waits for the last old pod to be gone.
    if (!deleted && !isFinished(object)) return;
    const { namespace } = identityOf(object);
    addOwner(namespace, caches.replicaSets.get(namespace, controllerOf(object)?.name ?? ""));
  });
}

function generationOf({ metadata }: Deployment): { generation?: number } {
  return metadata?.generation === undefined ? {} : { generation: metadata.generation };
}

function selectsAll({ spec }: Deployment): boolean {
  return spec !== undefined && Object.keys(spec.selector).length === 0;
}

/** A pause and its end are progress of their own kind, so that nobody runs out of time meanwhile. */
function pausedConditions(deployment: Deployment, now: number): readonly DeploymentCondition[] {
  const conditions = deployment.status?.conditions ?? [];
  const reason = conditionOf(conditions, "Progressing")?.reason;
  if (!hasDeadline(deployment) || reason === "ProgressDeadlineExceeded") return conditions;
  const paused = deployment.spec?.paused === true;
  if (paused === (reason === "DeploymentPaused")) return conditions;
  const verdict = paused
    ? { status: "Unknown", reason: "DeploymentPaused", message: "Deployment is paused" }
    : { status: "Unknown", reason: "DeploymentResumed", message: "Deployment is resumed" };
  return setCondition(conditions, "Progressing", verdict, now);
}
