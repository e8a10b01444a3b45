// Counts the pods of a Job into its status, none twice and none never, though the program may end at any moment.
import type { Job, JobStatus, Pod } from "#api/kubernetes/gen/types";
import type { ControllerContext } from "../controller.ts";
import { identityOf, kubeTime } from "../objects/object-meta.ts";
import { conditionOf, sameStatus, withoutZeros } from "../workloads/conditions.ts";
import { endingOf, newCondition } from "./job-conditions.ts";
import { countJob, isJobFinished, untilDeadline } from "./job-count.ts";
import { renderIndexes } from "./job-indexes.ts";
import { isIndexed, judgeFailure } from "./job-pods.ts";
import type { JobLook, JobTools } from "./manage-job-pods.ts";

/** First whom we are about to count, then their finalizers, then the count: nobody is counted twice or never. */
export async function writeJobStatus(
  context: ControllerContext,
  tools: JobTools,
  look: JobLook,
  changed: number,
): Promise<void> {
  const { caches, indexes, clock } = context;
  const { job, count, status } = look;
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
    current = await caches.jobs.replace({ ...job, status: { ...rest, uncountedTerminatedPods: uncounted } }, "status");
  }
  const held = indexes.podsByOwner
    .get(identityOf(job).uid)
    .filter((pod) => [...succeeded, ...failed].includes(uid(pod)));
  await Promise.all([...held, ...ended].map(tools.write.release));
  const final = finalStatus(context, { ...look, status: rest }, { changed, failed: failed.length });
  if (!sameStatus(current.status, final)) await caches.jobs.replace({ ...current, status: final }, "status");
  if (isJobFinished({ status: final })) tellEnd(tools, job, final);
  const deadline = untilDeadline({ ...job, status: final }, clock.now());
  if (deadline !== undefined && endingOf(final) === undefined) tools.later(job, deadline);
}

function finalStatus(
  { clock, indexes }: ControllerContext,
  { job, count, status: rest }: JobLook,
  { changed, failed }: { changed: number; failed: number },
): JobStatus {
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
  const last = newCondition(now, { type: done ? "Complete" : "Failed", reason, message });
  return {
    ...kept,
    conditions: [...(kept.conditions ?? []), last],
    ...(done ? { completionTime: kubeTime(now) } : {}),
  };
}

function tellEnd({ write }: JobTools, job: Job, status: JobStatus): void {
  const failed = conditionOf(status.conditions, "Failed");
  if (failed === undefined) write.tell(job, "Normal", "Completed", "Job completed");
  else write.tell(job, "Warning", failed.reason ?? "", failed.message ?? "");
}

function isActiveOrGoing({ status }: Pod): boolean {
  return status?.phase !== "Succeeded" && status?.phase !== "Failed";
}
