// The conditions of a Job: held back, about to end, ended.
import type { Job, JobCondition, JobStatus } from "#api/kubernetes/gen/types";
import { kubeTime } from "../objects/object-meta.ts";
import { conditionOf, withCondition } from "../workloads/conditions.ts";
import { endOf, type JobCount } from "./job-count.ts";
import type { JobWriter } from "./job-writer.ts";

/** The status with what is true of the Job before anything is done to its pods. */
export function settleConditions(write: JobWriter, job: Job, count: JobCount, now: number): JobStatus {
  const status = withSuspension(write, job, now);
  if (endingOf(status) !== undefined) return status;
  const end = endOf({ ...job, status }, count, now);
  return end === undefined ? status : { ...status, conditions: [...(status.conditions ?? []), newCondition(now, end)] };
}

/** Why the Job is on its way to its end; undefined: it is not. */
export function endingOf({ conditions = [] }: JobStatus): JobCondition | undefined {
  return conditions.find(
    ({ type, status }) => (type === "FailureTarget" || type === "SuccessCriteriaMet") && status === "True",
  );
}

export function newCondition(now: number, told: { type: string; reason: string; message: string }): JobCondition {
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
    const told = newCondition(now, { type: "Suspended", reason: "JobSuspended", message: "Job suspended" });
    return { ...before, conditions: withCondition(before.conditions ?? [], told) };
  }
  if (suspended?.status === "True") {
    write.tell(job, "Normal", "Resumed", "Job resumed");
    const told = {
      ...newCondition(now, { type: "Suspended", reason: "JobResumed", message: "Job resumed" }),
      status: "False",
    };
    return { ...before, conditions: withCondition(before.conditions ?? [], told), startTime: kubeTime(now) };
  }
  return before.startTime === undefined ? { ...before, startTime: kubeTime(now) } : before;
}
