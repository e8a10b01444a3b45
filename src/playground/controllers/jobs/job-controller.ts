import type { Job, JobCondition, JobStatus, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { controllerOf, identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { conditionOf, sameStatus, withCondition, withoutZeros } from "../workloads/conditions.ts";
import { deletionOrder } from "../workloads/owned-pods.ts";
import {
  countJob,
  endOf,
  freeIndexes,
  isJobFinished,
  type JobCount,
  untilDeadline,
  wantedActive,
} from "./job-count.ts";
import { renderIndexes } from "./job-indexes.ts";
import { buildJobPod, failuresOf, hasFailed, indexOf, isIndexed, judgeFailure } from "./job-pods.ts";
import { createJobWriter, type JobWriter } from "./job-writer.ts";

/** The pause after the first failure, doubled with each further one. */
const BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 600_000;

/** Runs the pods of Jobs until enough of them have succeeded or too many failed. */
export function createJobController(context: ControllerContext): Component {
  const { caches, clock, logger, indexes } = context;
  const write = createJobWriter(context);
  const backoff = createBackoff(context);

  const reconcile = async (key: string) => {
    const job = caches.jobs.getByKey(key);
    if (job === undefined) return;
    const pods = indexes.podsByOwner.get(identityOf(job).uid);
    if (isJobFinished(job) || isBeingDeleted(job)) {
      await Promise.all(pods.map(write.release));
      return;
    }
    const count = countJob(job, pods);
    backoff.note(job, count);
    const status = await settle(job, count);
    const changed = await manage(job, pods, count, status);
    await writeStatus(job, status, changed, count);
  };

  /** Conditions, before anything is done to pods. */
  const settle = async (job: Job, count: JobCount): Promise<JobStatus> => {
    const now = clock.now();
    let status = withSuspension(write, job, now);
    const told = (status.conditions ?? []).find(
      ({ type, status: value }) => (type === "FailureTarget" || type === "SuccessCriteriaMet") && value === "True",
    );
    const end = told ?? endOf({ ...job, status }, count, now);
    if (end !== undefined && told === undefined) {
      const { type, reason, message } = end;
      status = {
        ...status,
        conditions: [
          ...(status.conditions ?? []),
          condition(now, { type, reason: reason ?? "", message: message ?? "" }),
        ],
      };
    }
    return status;
  };

  const manage = async (job: Job, pods: readonly Pod[], count: JobCount, status: JobStatus): Promise<number> => {
    const ending = endingOf(status);
    if (ending !== undefined) {
      await Promise.all(count.active.map((pod) => write.remove(job, pod, true)));
      return -count.active.length;
    }
    const wanted = job.spec?.suspend === true ? 0 : wantedActive(job, count);
    const surplus = count.active.length - wanted;
    if (surplus > 0) {
      const going = deletionOrder(count.active, count.active).slice(0, surplus);
      await Promise.all(going.map((pod) => write.remove(job, pod, false)));
      return -surplus;
    }
    const replaced = job.spec?.podReplacementPolicy === "Failed" ? count.terminating : 0;
    const missing = Math.max(0, -surplus - replaced);
    if (missing === 0 || count.newlyFailed.length + count.newlySucceeded.length > 0) return 0;
    const wait = backoff.wait(job);
    if (wait > 0) {
      queue.addAfter(objectKey(job), wait);
      return 0;
    }
    const free = isIndexed(job)
      ? freeIndexes(job, count, pods).slice(0, missing)
      : Array.from({ length: missing }, () => undefined);
    await Promise.all(free.map((index) => write.create(job, buildJobPod(job, index, backoff.failures(job, index)))));
    return free.length;
  };

  /** First whom we are about to count, then their finalizers, then the count: nobody is counted twice or never. */
  const writeStatus = async (job: Job, status: JobStatus, changed: number, count: JobCount) => {
    const uid = (pod: Pod) => identityOf(pod).uid;
    const ignored = (pod: Pod) => judgeFailure(job, pod)?.action === "Ignore";
    const succeeded = [
      ...(status.uncountedTerminatedPods?.succeeded ?? []),
      ...(isIndexed(job) ? [] : count.newlySucceeded.map(uid)),
    ];
    const failed = [
      ...(status.uncountedTerminatedPods?.failed ?? []),
      ...count.newlyFailed.filter((pod) => !ignored(pod)).map(uid),
    ];
    const ended = [...count.newlySucceeded, ...count.newlyFailed];
    const { uncountedTerminatedPods: _old, ...rest } = status;
    const waiting = succeeded.length + failed.length > 0;
    let current = job;
    if (waiting && ended.length > 0) {
      const uncounted = { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) };
      current = await caches.jobs.replace(
        { ...job, status: { ...rest, uncountedTerminatedPods: uncounted } },
        "status",
      );
    }
    const held = indexes.podsByOwner
      .get(identityOf(job).uid)
      .filter((pod) => [...succeeded, ...failed].includes(uid(pod)));
    await Promise.all([...held, ...ended].map(write.release));
    const final = finalStatus(job, rest, { count, changed, failed: failed.length });
    if (!sameStatus(current.status, final)) await caches.jobs.replace({ ...current, status: final }, "status");
    if (isJobFinished({ status: final })) tellEnd(job, final);
    const deadline = untilDeadline({ ...job, status: final }, clock.now());
    if (deadline !== undefined && endingOf(final) === undefined) queue.addAfter(objectKey(job), deadline);
  };

  const finalStatus = (
    job: Job,
    rest: JobStatus,
    { count, changed, failed }: { count: JobCount; changed: number; failed: number },
  ): JobStatus => {
    const now = clock.now();
    const pods = indexes.podsByOwner.get(identityOf(job).uid);
    const after = countJob({ ...job, status: { ...rest } }, pods);
    const ending = endingOf(rest);
    const status: JobStatus = {
      ...rest,
      active: Math.max(0, count.active.length + changed),
      ready: changed < 0 ? after.ready : count.ready,
      terminating: after.terminating,
      succeeded: count.succeeded,
      failed: (job.status?.failed ?? 0) + failed,
      ...(count.completedIndexes.size > 0 ? { completedIndexes: renderIndexes(count.completedIndexes) } : {}),
      ...(job.spec?.backoffLimitPerIndex === undefined ? {} : { failedIndexes: renderIndexes(count.failedIndexes) }),
      uncountedTerminatedPods: {},
    };
    const idle =
      pods.every((pod) => !isActiveOrGoing(pod)) && after.newlyFailed.length + after.newlySucceeded.length === 0;
    const kept = withoutZeros(status, ["ready", "terminating", "failedIndexes"]);
    if (ending === undefined || !idle) return kept;
    const done = ending.type === "SuccessCriteriaMet";
    const { reason = "", message = "" } = ending;
    const last = condition(now, { type: done ? "Complete" : "Failed", reason, message });
    return {
      ...kept,
      conditions: [...(kept.conditions ?? []), last],
      ...(done ? { completionTime: kubeTime(now) } : {}),
    };
  };

  const tellEnd = (job: Job, status: JobStatus) => {
    const failed = conditionOf(status.conditions, "Failed");
    if (failed === undefined) write.tell(job, "Normal", "Completed", "Job completed");
    else write.tell(job, "Warning", failed.reason ?? "", failed.message ?? "");
  };

  const queue = new WorkQueue({ name: "job", clock, logger, reconcile });
  caches.jobs.onChange(({ object, deleted }) => {
    if (!deleted) return queue.add(objectKey(object));
    // Nobody counts its pods any more.
    for (const pod of indexes.podsByOwner.get(identityOf(object).uid)) void write.release(pod).catch(() => {});
  });
  caches.pods.onChange(({ object, deleted }) => {
    const owner = controllerOf(object);
    if (owner?.kind !== "Job") {
      if (!deleted && owner === undefined) void write.release(object).catch(() => {});
      return;
    }
    const { namespace } = identityOf(object);
    if (caches.jobs.get(namespace, owner.name) !== undefined) queue.add(`${namespace}/${owner.name}`);
    else if (!deleted && isBeingDeleted(object)) void write.release(object).catch(() => {});
  });
  return controllerComponent(queue, [caches.jobs, caches.pods]);
}

function isActiveOrGoing({ status }: Pod): boolean {
  return status?.phase !== "Succeeded" && status?.phase !== "Failed";
}

function endingOf({ conditions = [] }: JobStatus): JobCondition | undefined {
  return conditions.find(
    ({ type, status }) => (type === "FailureTarget" || type === "SuccessCriteriaMet") && status === "True",
  );
}

function condition(now: number, told: { type: string; reason: string; message: string }): JobCondition {
  const time = kubeTime(now);
  return { ...told, status: "True", lastProbeTime: time, lastTransitionTime: time };
}

/** The start of the Job, and whether it is held back. */
function withSuspension(write: JobWriter, job: Job, now: number): JobStatus {
  const before = job.status ?? {};
  const suspended = conditionOf(before.conditions, "Suspended");
  if (job.spec?.suspend === true) {
    if (suspended?.status === "True") return before;
    write.tell(job, "Normal", "Suspended", "Job suspended");
    const told = condition(now, { type: "Suspended", reason: "JobSuspended", message: "Job suspended" });
    return { ...before, conditions: withCondition(before.conditions ?? [], told) };
  }
  if (suspended?.status === "True") {
    write.tell(job, "Normal", "Resumed", "Job resumed");
    const told = {
      ...condition(now, { type: "Suspended", reason: "JobResumed", message: "Job resumed" }),
      status: "False",
    };
    return { ...before, conditions: withCondition(before.conditions ?? [], told), startTime: kubeTime(now) };
  }
  return before.startTime === undefined ? { ...before, startTime: kubeTime(now) } : before;
}

function createBackoff({ clock }: ControllerContext) {
  interface Failures {
    count: number;
    since: number;
    readonly byIndex: Map<number, number>;
  }
  const known = new Map<string, Failures>();
  return {
    /** A success makes it patient again. */
    note(job: Job, { newlyFailed, newlySucceeded }: JobCount): void {
      const { uid } = identityOf(job);
      const failures = known.get(uid) ?? { count: 0, since: 0, byIndex: new Map<number, number>() };
      if (newlySucceeded.length > 0) failures.count = 0;
      for (const pod of newlyFailed) {
        if (!hasFailed(job, pod)) continue;
        failures.count += 1;
        failures.since = clock.now();
        const more = judgeFailure(job, pod)?.action === "Ignore" ? 0 : 1;
        failures.byIndex.set(indexOf(pod), failuresOf(pod) + more);
      }
      if (failures.count > 0 || failures.byIndex.size > 0) known.set(uid, failures);
    },
    wait(job: Job): number {
      const failures = known.get(identityOf(job).uid);
      if (failures === undefined || failures.count === 0) return 0;
      const pause = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (failures.count - 1));
      return Math.max(0, failures.since + pause - clock.now());
    },
    failures: (job: Job, index: number | undefined): number =>
      index === undefined ? 0 : (known.get(identityOf(job).uid)?.byIndex.get(index) ?? 0),
  };
}
