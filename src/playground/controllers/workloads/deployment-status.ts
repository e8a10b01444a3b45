import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from "#api/kubernetes/gen/types";
import { identityOf, kubeTime } from "../objects/object-meta.ts";
import { rolloutBounds } from "./rolling-update.ts";

export interface DeploymentObservation {
  readonly status: DeploymentStatus;
  /** Milliseconds until the progress deadline passes; undefined when nothing is in progress. */
  readonly deadlineMs: number | undefined;
}

interface Verdict {
  readonly status: "True" | "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

interface ObservedReplicaSets {
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
}

const DEFAULT_DEADLINE_SECONDS = 600;

/** Sums up the ReplicaSets of a Deployment as `kubectl rollout status` and `wait` read it. */
export function observeDeployment(
  deployment: Deployment,
  sets: ObservedReplicaSets,
  now: number,
): DeploymentObservation {
  const counts = countReplicas(deployment, sets);
  const available = condition(deployment, "Available", availability(deployment, counts.availableReplicas), now);
  const verdict = progress(deployment, counts, sets.current, now);
  const progressing = condition(deployment, "Progressing", verdict, now, hasProgressed(deployment.status, counts));
  const failure = sets.current?.status?.conditions?.find(({ type }) => type === "ReplicaFailure");
  const conditions = [available, progressing];
  if (failure !== undefined) {
    const { reason = "FailedCreate", message = "" } = failure;
    conditions.push(condition(deployment, "ReplicaFailure", { status: "True", reason, message }, now));
  }
  return {
    status: { ...counts, conditions },
    deadlineMs: isWaiting(verdict) ? deadlineOf(deployment, progressing) - now : undefined,
  };
}

type Counts = ReturnType<typeof countReplicas>;

function countReplicas(deployment: Deployment, { current, old }: ObservedReplicaSets) {
  const all = current === undefined ? old : [...old, current];
  const total = (count: (set: ReplicaSet) => number | undefined) =>
    all.reduce((sum, set) => sum + (count(set) ?? 0), 0);
  const availableReplicas = total((set) => set.status?.availableReplicas);
  const collisionCount = deployment.status?.collisionCount;
  return {
    observedGeneration: deployment.metadata?.generation ?? 0,
    replicas: total((set) => set.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: total((set) => set.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, total((set) => set.spec?.replicas) - availableReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };
}

function availability(deployment: Deployment, available: number): Verdict {
  const { replicas, maxUnavailable } = rolloutBounds(deployment);
  const needed = replicas - maxUnavailable;
  const message = `${available} of ${replicas} replicas are available, ${needed} are needed.`;
  return available >= needed
    ? { status: "True", reason: "MinimumReplicasAvailable", message }
    : { status: "False", reason: "MinimumReplicasUnavailable", message };
}

function progress(deployment: Deployment, counts: Counts, current: ReplicaSet | undefined, now: number): Verdict {
  const { name } = identityOf(current ?? deployment);
  const before = deployment.status?.conditions?.find(({ type }) => type === "Progressing");
  if (deployment.spec?.paused === true) {
    return { status: "Unknown", reason: "DeploymentPaused", message: "The rollout is paused." };
  }
  // A rollout that has ended stays so while replicas come and go.
  const ended = before?.reason === "NewReplicaSetAvailable" && counts.replicas === counts.updatedReplicas;
  if (isComplete(deployment, counts) || ended) {
    return { status: "True", reason: "NewReplicaSetAvailable", message: `ReplicaSet "${name}" is rolled out.` };
  }
  if (before !== undefined && !hasProgressed(deployment.status, counts) && now >= deadlineOf(deployment, before)) {
    const message = `ReplicaSet "${name}" made no progress within the deadline.`;
    return { status: "False", reason: "ProgressDeadlineExceeded", message };
  }
  const isNew = (current?.status?.replicas ?? 0) === 0;
  return isNew
    ? { status: "True", reason: "NewReplicaSetCreated", message: `ReplicaSet "${name}" was created.` }
    : { status: "True", reason: "ReplicaSetUpdated", message: `ReplicaSet "${name}" is progressing.` };
}

function isWaiting({ reason }: Verdict): boolean {
  return reason === "NewReplicaSetCreated" || reason === "ReplicaSetUpdated";
}

function isComplete(deployment: Deployment, counts: Counts): boolean {
  const wanted = deployment.spec?.replicas ?? 1;
  return counts.updatedReplicas === wanted && counts.replicas === wanted && counts.availableReplicas === wanted;
}

function hasProgressed(before: DeploymentStatus | undefined, counts: Counts): boolean {
  return (
    counts.observedGeneration !== (before?.observedGeneration ?? 0) ||
    counts.updatedReplicas > (before?.updatedReplicas ?? 0) ||
    counts.readyReplicas > (before?.readyReplicas ?? 0) ||
    counts.availableReplicas > (before?.availableReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < (before?.replicas ?? 0) - (before?.updatedReplicas ?? 0)
  );
}

function deadlineOf(deployment: Deployment, progressing: DeploymentCondition): number {
  const seconds = deployment.spec?.progressDeadlineSeconds ?? DEFAULT_DEADLINE_SECONDS;
  return (Date.parse(progressing.lastUpdateTime ?? "") || 0) + seconds * 1000;
}

/** Keeps the times of a condition that says the same as before. */
function condition(
  deployment: Deployment,
  type: string,
  verdict: Verdict,
  ...[now, progressed = false]: [number, boolean?]
): DeploymentCondition {
  const before = deployment.status?.conditions?.find((candidate) => candidate.type === type);
  const time = kubeTime(now);
  const unchanged = before?.status === verdict.status && before.reason === verdict.reason && !progressed;
  return {
    type,
    ...verdict,
    lastUpdateTime: (unchanged ? before.lastUpdateTime : undefined) ?? time,
    lastTransitionTime: (before?.status === verdict.status ? before.lastTransitionTime : undefined) ?? time,
  };
}

/** Whether writing the status would tell anything new; a time alone does not count. */
export function sameDeploymentStatus(a: DeploymentStatus | undefined, b: DeploymentStatus): boolean {
  return a !== undefined && digest(a) === digest(b);
}

function digest(status: DeploymentStatus): string {
  const { observedGeneration, replicas, updatedReplicas, readyReplicas, availableReplicas, unavailableReplicas } =
    status;
  const counts = [replicas, updatedReplicas, readyReplicas, availableReplicas, unavailableReplicas, observedGeneration];
  const said = (status.conditions ?? []).map((item) => `${item.type} ${item.status} ${item.reason} ${item.message}`);
  return JSON.stringify([counts.map((count) => count ?? 0), said.sort(), status.collisionCount ?? 0]);
}
