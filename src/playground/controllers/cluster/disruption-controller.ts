import { Kinds } from "#api/kinds";
import type {
  Condition,
  IntOrString,
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetStatus,
} from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { controllerOf, identityOf, isBeingDeleted, kubeTime, labelsOf } from "../objects/object-meta.ts";
import { conditionOf, sameStatus } from "../workloads/conditions.ts";
import { isReady } from "../workloads/pod-state.ts";

/** An eviction that was allowed but not seen to happen is forgotten after so long. */
const DISRUPTION_MS = 120_000;

/** Keeps `disruptionsAllowed` of PodDisruptionBudgets, on which evictions rely. */
export function createDisruptionController(context: ControllerContext): Component {
  const { caches, clock, logger, events } = context;

  const reconcile = async (key: string) => {
    const budget = caches.podDisruptionBudgets.getByKey(key);
    if (budget === undefined || isBeingDeleted(budget)) return;
    const pods = podsOf(budget);
    if (pods.length === 0) {
      const about = { type: Kinds.PodDisruptionBudget, object: budget };
      const text = { type: "Normal", reason: "NoPods", message: "No matching pods found" } as const;
      events.record("controllermanager", about, text);
    }
    const status = observe(context, budget, pods);
    if (Object.keys(status.disruptedPods ?? {}).length > 0) queue.addAfter(key, DISRUPTION_MS);
    if (!sameStatus(budget.status, status)) await caches.podDisruptionBudgets.replace({ ...budget, status }, "status");
  };

  const podsOf = (budget: PodDisruptionBudget): Pod[] => {
    const selector = budget.spec?.selector;
    if (selector === undefined) return [];
    const { namespace } = identityOf(budget);
    return caches.pods.inNamespace(namespace).filter((pod) => matchesSelector(selector, labelsOf(pod)));
  };

  const queue = new WorkQueue({ name: "disruption", clock, logger, reconcile });
  caches.podDisruptionBudgets.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  caches.pods.onChange(({ object, old }) => {
    for (const budget of caches.podDisruptionBudgets.inNamespace(identityOf(object).namespace)) {
      const selector = budget.spec?.selector;
      if (selector === undefined) continue;
      const matches = [object, ...(old === undefined ? [] : [old])].some((pod) =>
        matchesSelector(selector, labelsOf(pod)),
      );
      if (matches) queue.add(objectKey(budget));
    }
  });
  return controllerComponent(queue, [
    caches.podDisruptionBudgets,
    caches.pods,
    caches.replicaSets,
    caches.deployments,
    caches.statefulSets,
  ]);
}

function observe(
  context: ControllerContext,
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
): PodDisruptionBudgetStatus {
  const now = context.clock.now();
  const disruptedPods = stillExpected(budget, pods, now);
  const healthy = pods.filter(
    (pod) => isReady(pod) && !isBeingDeleted(pod) && !(identityOf(pod).name in disruptedPods),
  );
  const { expectedPods, desiredHealthy } = demands(budget, pods, (pod) => expectedBy(context, pod));
  const allowed = expectedPods <= 0 ? 0 : Math.max(0, healthy.length - desiredHealthy);
  const observedGeneration = budget.metadata?.generation ?? 0;
  return {
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    currentHealthy: healthy.length,
    desiredHealthy,
    disruptionsAllowed: allowed,
    expectedPods,
    observedGeneration,
    conditions: [disruptionCondition(budget, allowed, observedGeneration, now)],
  };
}

/** How many pods the pod's owner asks for, with the uid by which it is counted once. */
function expectedBy({ caches }: ControllerContext, pod: Pod): { uid: string; replicas: number } | undefined {
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const { namespace } = identityOf(pod);
  const set = owner.kind === "ReplicaSet" ? caches.replicaSets.get(namespace, owner.name) : undefined;
  const above = set === undefined ? undefined : controllerOf(set);
  const deployment = above === undefined ? undefined : caches.deployments.get(namespace, above.name);
  const stateful = owner.kind === "StatefulSet" ? caches.statefulSets.get(namespace, owner.name) : undefined;
  const found = deployment ?? set ?? stateful;
  return found === undefined ? undefined : { uid: identityOf(found).uid, replicas: found.spec?.replicas ?? 1 };
}

type ExpectedBy = (pod: Pod) => { uid: string; replicas: number } | undefined;

/** How many pods there should be and how many of them must be healthy. */
export function demands(budget: PodDisruptionBudget, pods: readonly Pod[], expectedBy: ExpectedBy) {
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  if (maxUnavailable === undefined && typeof minAvailable === "number") {
    return { expectedPods: pods.length, desiredHealthy: minAvailable };
  }
  const owners = new Map(
    pods.map(expectedBy).flatMap((owner) => (owner === undefined ? [] : [[owner.uid, owner.replicas]])),
  );
  const expectedPods = [...owners.values()].reduce((sum, replicas) => sum + replicas, 0);
  const desired =
    maxUnavailable === undefined
      ? share(minAvailable ?? 0, expectedPods)
      : Math.max(0, expectedPods - share(maxUnavailable, expectedPods));
  return { expectedPods, desiredHealthy: desired };
}

function share(value: IntOrString, total: number): number {
  return typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100) || 0;
}

/** Evictions that were allowed and whose pods are still here. */
function stillExpected({ status }: PodDisruptionBudget, pods: readonly Pod[], now: number): Record<string, string> {
  const going = Object.entries(status?.disruptedPods ?? {}).filter(([name, since]) => {
    const pod = pods.find((candidate) => identityOf(candidate).name === name);
    return pod !== undefined && !isBeingDeleted(pod) && Date.parse(since) + DISRUPTION_MS > now;
  });
  return Object.fromEntries(going);
}

function disruptionCondition(
  budget: PodDisruptionBudget,
  allowed: number,
  ...[observedGeneration, now]: [number, number]
): Condition {
  const text =
    allowed > 0 ? { status: "True", reason: "SufficientPods" } : { status: "False", reason: "InsufficientPods" };
  const before = conditionOf(budget.status?.conditions, "DisruptionAllowed");
  const kept = before?.status === text.status ? before.lastTransitionTime : undefined;
  return {
    type: "DisruptionAllowed",
    ...text,
    message: "",
    observedGeneration,
    lastTransitionTime: kept ?? kubeTime(now),
  };
}
