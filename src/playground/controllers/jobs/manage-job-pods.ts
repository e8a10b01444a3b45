// Makes and ends the pods of a Job.
import type { Job, JobStatus, Pod } from "#api/kubernetes/gen/types";
import { deletionOrder } from "../workloads/owned-pods.ts";
import type { JobBackoff } from "./job-backoff.ts";
import { endingOf } from "./job-conditions.ts";
import { freeIndexes, type JobCount, wantedActive } from "./job-count.ts";
import { buildJobPod, isIndexed } from "./job-pods.ts";
import type { JobWriter } from "./job-writer.ts";

export interface JobTools {
  readonly write: JobWriter;
  readonly backoff: JobBackoff;
  /** Another look after so many milliseconds. */
  readonly later: (job: Job, ms: number) => void;
}

export interface JobLook {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly count: JobCount;
  /** With the conditions of this look. */
  readonly status: JobStatus;
}

/** Returns by how many pods the active ones grew; negative: shrank. */
export async function managePods(
  { write, backoff, later }: JobTools,
  { job, pods, count, status }: JobLook,
): Promise<number> {
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
    later(job, wait);
    return 0;
  }
  const free = isIndexed(job)
    ? freeIndexes(job, count, pods).slice(0, missing)
    : Array.from({ length: missing }, () => undefined);
  await Promise.all(free.map((index) => write.create(job, buildJobPod(job, index, backoff.failures(job, index)))));
  return free.length;
}
