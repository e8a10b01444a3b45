import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "#api/kubernetes/gen/types";
import { identityOf, kubeTime } from "../objects/object-meta.ts";
import { conditionOf, withoutZeros } from "./conditions.ts";
import { rolloutBounds } from "./rolling-update.ts";

export interface ObservedReplicaSets {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

type Conditions = readonly DeploymentCondition[];
type Verdict = Pick<DeploymentCondition, "status" | "reason" | "message">;

/** Sums up the ReplicaSets of a Deployment, without a word on its progress. */
export function countReplicas(
  deployment: Deployment,
  { current, old }: ObservedReplicaSets,
  conditions: Conditions,
  now: number,
): DeploymentStatus {
  const all = current === undefined ? old : [...old, current];
  const total = (count: (set: ReplicaSet) => number | undefined) =>
    all.reduce((sum, set) => sum + (count(set) ?? 0), 0);
  const availableReplicas = total(({ status }) => status?.availableReplicas);
  const told = all.every(({ status }) => status?.terminatingReplicas !== undefined);
  const { collisionCount } = deployment.status ?? {};
  const counts: DeploymentStatus = {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: total(({ status }) => status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: total(({ status }) => status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, total(({ spec }) => spec?.replicas ?? 1) - availableReplicas),
    ...(told ? { terminatingReplicas: total(({ status }) => status?.terminatingReplicas) } : {}),
    ...(collisionCount === undefined ? {} : { collisionCount }),
    conditions: [...setCondition(conditions, "Available", availability(deployment, availableReplicas), now)],
  };
  return withoutZeros(counts, ["terminatingReplicas", "collisionCount"]);
}

function availability(deployment: Deployment, available: number): Verdict {
  const { replicas, maxUnavailable } = rolloutBounds(deployment);
  return available >= replicas - maxUnavailable
    ? { status: "True", reason: "MinimumReplicasAvailable", message: "Deployment has minimum availability." }
    : {
        status: "False",
        reason: "MinimumReplicasUnavailable",
        message: "Deployment does not have minimum availability.",
      };
}

/** The status with the verdict on a rollout under way: done, moving, or out of time. */
export function judgeProgress(
  deployment: Deployment,
  sets: ObservedReplicaSets,
  counted: DeploymentStatus,
  ...[conditions, now]: [Conditions, number]
): DeploymentStatus {
  const failure = replicaFailure(sets);
  const rest = (counted.conditions ?? []).filter(({ type }) => type !== "ReplicaFailure");
  const finish = (list: Conditions): DeploymentStatus => ({
    ...counted,
    conditions: failure === undefined ? [...list] : [...setCondition(list, "ReplicaFailure", failure, now)],
  });
  if (!hasDeadline(deployment)) return finish(rest.filter(({ type }) => type !== "Progressing"));
  const before = conditionOf(conditions, "Progressing");
  const settled =
    (counted.replicas ?? 0) === (counted.updatedReplicas ?? 0) && before?.reason === "NewReplicaSetAvailable";
  if (settled) return finish(rest);
  const about =
    sets.current === undefined
      ? `Deployment "${identityOf(deployment).name}"`
      : `ReplicaSet "${identityOf(sets.current).name}"`;
  if (isComplete(deployment, counted)) {
    const message = `${about} has successfully progressed.`;
    return finish(
      setCondition(rest, "Progressing", { status: "True", reason: "NewReplicaSetAvailable", message }, now),
    );
  }
  if (hasProgressed(deployment.status, counted)) {
    const verdict = { status: "True", reason: "ReplicaSetUpdated", message: `${about} is progressing.` };
    const others = rest.filter(({ type }) => type !== "Progressing");
    const moved = setCondition(others, "Progressing", verdict, now);
    const kept = before?.status === "True" ? before.lastTransitionTime : undefined;
    if (kept === undefined) return finish(moved);
    return finish(moved.map((item) => (item.type === "Progressing" ? { ...item, lastTransitionTime: kept } : item)));
  }
  if (before !== undefined && isOutOfTime(deployment, before, now)) {
    const message = `${about} has timed out progressing.`;
    return finish(
      setCondition(rest, "Progressing", { status: "False", reason: "ProgressDeadlineExceeded", message }, now),
    );
  }
  return finish(rest);
}

/** Milliseconds until a rollout without progress is out of time; undefined when nothing is awaited. */
export function untilDeadline(deployment: Deployment, status: DeploymentStatus, now: number): number | undefined {
  const progressing = conditionOf(status.conditions, "Progressing");
  if (!hasDeadline(deployment) || progressing === undefined || isComplete(deployment, status)) return undefined;
  if (progressing.reason === "ProgressDeadlineExceeded" || progressing.reason === "NewReplicaSetAvailable")
    return undefined;
  return Math.max(0, deadlineOf(deployment, progressing) - now);
}

export function hasDeadline({ spec }: Deployment): boolean {
  const seconds = spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== 2 ** 31 - 1;
}

/** All replicas are of the current template and available. */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  const wanted = spec?.replicas ?? 1;
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status;
  const full = updatedReplicas === wanted && replicas === wanted && availableReplicas === wanted;
  return full && observedGeneration >= (metadata?.generation ?? 0);
}

function hasProgressed(before: DeploymentStatus = {}, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0) ||
    old(after) < old(before)
  );
}

function isOutOfTime(deployment: Deployment, progressing: DeploymentCondition, now: number): boolean {
  if (progressing.reason === "NewReplicaSetAvailable") return false;
  return progressing.reason === "ProgressDeadlineExceeded" || now > deadlineOf(deployment, progressing);
}

function deadlineOf({ spec }: Deployment, { lastUpdateTime = "" }: DeploymentCondition): number {
  return (Date.parse(lastUpdateTime) || 0) + (spec?.progressDeadlineSeconds ?? 0) * 1000;
}

function replicaFailure({ current, old }: ObservedReplicaSets): Verdict | undefined {
  const sets = current === undefined ? old : [current, ...old];
  const found = sets.map(({ status }) => conditionOf(status?.conditions, "ReplicaFailure")).find(Boolean);
  if (found === undefined) return undefined;
  const { status, reason = "", message = "" } = found;
  return { status, reason, message };
}

/** Leaves a condition that says the same, whatever its message; keeps the time of one whose status stays. */
export function setCondition(conditions: Conditions, type: string, verdict: Verdict, now: number): Conditions {
  const before = conditionOf(conditions, type);
  if (before?.status === verdict.status && before.reason === verdict.reason) return conditions;
  const time = kubeTime(now);
  const since = before?.status === verdict.status ? before.lastTransitionTime : undefined;
  const next = { type, ...verdict, lastUpdateTime: time, lastTransitionTime: since ?? time };
  return [...conditions.filter((condition) => condition.type !== type), next];
}
