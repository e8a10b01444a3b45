// What a Job's pods add up to, and whether that ends it. Pure.
import type { Job, Pod } from "#api/kubernetes/gen/types";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { isFinished, isReady } from "../workloads/pod-state.ts";
import { parseIndexes } from "./job-indexes.ts";
import {
  failuresOf,
  hasFailed,
  hasSucceeded,
  indexOf,
  isActivePod,
  isIndexed,
  isTracked,
  judgeFailure,
} from "./job-pods.ts";

export interface JobCount {
  readonly active: readonly Pod[];
  readonly ready: number;
  readonly terminating: number;
  /** Ended since the status was last written, still held by their finalizer. */
  readonly newlySucceeded: readonly Pod[];
  readonly newlyFailed: readonly Pod[];
  /** All so far. */
  readonly succeeded: number;
  readonly failed: number;
  readonly completedIndexes: ReadonlySet<number>;
  readonly failedIndexes: ReadonlySet<number>;
}

export function countJob(job: Job, pods: readonly Pod[]): JobCount {
  const held = pods.filter(isTracked);
  const known = new Set([
    ...(job.status?.uncountedTerminatedPods?.succeeded ?? []),
    ...(job.status?.uncountedTerminatedPods?.failed ?? []),
  ]);
  const fresh = held.filter((pod) => !known.has(identityOf(pod).uid));
  const newlySucceeded = fresh.filter(hasSucceeded);
  const newlyFailed = fresh.filter((pod) => !hasSucceeded(pod) && hasFailed(job, pod));
  const counted = newlyFailed.filter((pod) => judgeFailure(job, pod)?.action !== "Ignore");
  const completedIndexes = parseIndexes(job.status?.completedIndexes);
  if (isIndexed(job)) for (const pod of newlySucceeded) completedIndexes.add(indexOf(pod));
  const { succeeded = 0, failed = 0, uncountedTerminatedPods: uncounted } = job.status ?? {};
  const before = succeeded + (uncounted?.succeeded?.length ?? 0);
  return {
    active: pods.filter(isActivePod),
    ready: pods.filter((pod) => isActivePod(pod) && isReady(pod)).length,
    terminating: pods.filter((pod) => isBeingDeleted(pod) && !isFinished(pod)).length,
    newlySucceeded,
    newlyFailed,
    succeeded: isIndexed(job) ? completedIndexes.size : before + newlySucceeded.length,
    failed: failed + (uncounted?.failed?.length ?? 0) + counted.length,
    completedIndexes,
    failedIndexes: failedIndexes(job, newlyFailed, completedIndexes),
  };
}

function failedIndexes(job: Job, newlyFailed: readonly Pod[], completed: ReadonlySet<number>): Set<number> {
  const indexes = parseIndexes(job.status?.failedIndexes);
  const limit = job.spec?.backoffLimitPerIndex;
  if (limit === undefined) return indexes;
  for (const pod of newlyFailed) {
    const verdict = judgeFailure(job, pod)?.action;
    const beyond = verdict === "FailIndex" || (verdict !== "Ignore" && failuresOf(pod) >= limit);
    if (beyond && !completed.has(indexOf(pod))) indexes.add(indexOf(pod));
  }
  return indexes;
}

export interface JobEnd {
  readonly type: "SuccessCriteriaMet" | "FailureTarget";
  readonly reason: string;
  readonly message: string;
}

/** Why the Job is to end now; undefined: it goes on. */
export function endOf(job: Job, count: JobCount, now: number): JobEnd | undefined {
  return failureOf(job, count, now) ?? successOf(job, count);
}

function failureOf(job: Job, count: JobCount, now: number): JobEnd | undefined {
  const failure = (reason: string, message: string): JobEnd => ({ type: "FailureTarget", reason, message });
  const fatal = count.newlyFailed.map((pod) => judgeFailure(job, pod)).find((verdict) => verdict?.action === "FailJob");
  if (fatal !== undefined) return failure("PodFailurePolicy", fatal.message);
  const { backoffLimit = 6, activeDeadlineSeconds, maxFailedIndexes, completions = 0 } = job.spec ?? {};
  if (count.failed > backoffLimit || restartsBeyond(job, count.active, backoffLimit)) {
    return failure("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  if (activeDeadlineSeconds !== undefined && untilDeadline(job, now) === 0) {
    return failure("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  if (maxFailedIndexes !== undefined && count.failedIndexes.size > maxFailedIndexes) {
    const message = "Job has exceeded the specified maximal number of failed indexes";
    return failure("MaxFailedIndexesExceeded", message);
  }
  const all = count.failedIndexes.size > 0 && count.failedIndexes.size + count.completedIndexes.size >= completions;
  return all ? failure("FailedIndexes", "Job has failed indexes") : undefined;
}

function restartsBeyond({ spec }: Job, active: readonly Pod[], limit: number): boolean {
  if (spec?.template.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = active.flatMap(({ status }) => [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]);
  const total = restarts.reduce((sum, { restartCount }) => sum + restartCount, 0);
  return limit === 0 ? total > 0 : total >= limit;
}

/** Milliseconds; undefined without a deadline or before the start. */
export function untilDeadline({ spec, status }: Job, now: number): number | undefined {
  const seconds = spec?.activeDeadlineSeconds;
  const started = Date.parse(status?.startTime ?? "");
  if (seconds === undefined || Number.isNaN(started) || spec?.suspend === true) return undefined;
  return Math.max(0, started + seconds * 1000 - now);
}

function successOf(job: Job, count: JobCount): JobEnd | undefined {
  const { completions, successPolicy } = job.spec ?? {};
  for (const [index, { succeededIndexes, succeededCount }] of (successPolicy?.rules ?? []).entries()) {
    const wanted = succeededIndexes === undefined ? undefined : parseIndexes(succeededIndexes);
    const done = [...count.completedIndexes].filter((each) => wanted === undefined || wanted.has(each)).length;
    if (done >= (succeededCount ?? wanted?.size ?? Number.POSITIVE_INFINITY)) {
      return { type: "SuccessCriteriaMet", reason: "SuccessPolicy", message: `Matched rules at index ${index}` };
    }
  }
  const enough =
    completions === undefined
      ? count.succeeded > 0 && count.active.length === 0
      : count.succeeded >= completions && count.active.length === 0;
  if (!enough) return undefined;
  const message = "Reached expected number of succeeded pods";
  return { type: "SuccessCriteriaMet", reason: "CompletionsReached", message };
}

/** How many pods should run now. */
export function wantedActive(job: Job, count: JobCount): number {
  const { completions, parallelism = 1 } = job.spec ?? {};
  if (completions === undefined) return count.succeeded > 0 ? count.active.length : parallelism;
  return Math.max(0, Math.min(parallelism, completions - count.succeeded));
}

/** The lowest indexes that are neither done, failed nor running. */
export function freeIndexes(job: Job, count: JobCount, pods: readonly Pod[]): number[] {
  const waits = job.spec?.podReplacementPolicy === "Failed";
  const taken = new Set(
    pods.filter((pod) => isActivePod(pod) || (waits && isBeingDeleted(pod) && !isFinished(pod))).map(indexOf),
  );
  const all = Array.from({ length: job.spec?.completions ?? 0 }, (_, index) => index);
  return all.filter((index) => {
    return !taken.has(index) && !count.completedIndexes.has(index) && !count.failedIndexes.has(index);
  });
}

export function isJobFinished({ status }: Pick<Job, "status">): boolean {
  return (status?.conditions ?? []).some(
    ({ type, status: value }) => (type === "Complete" || type === "Failed") && value === "True",
  );
}
