// What a CronJob does to its Jobs, each with the event that tells of it.
import { Kinds } from "#api/kinds";
import type { CronJob, CronJobStatus, Job, ObjectReference } from "#api/kubernetes/gen/types";
import { errorMessage } from "#base/mesh-error";
import { KubeError } from "#kube/kube-client";
import type { ControllerContext } from "../controller.ts";
import { controllerOf, controllerReference, identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { conditionOf } from "../workloads/conditions.ts";
import { scheduledTimestamp } from "./cron-schedule.ts";
import { isJobFinished } from "./job-count.ts";

const SOURCE = "cronjob-controller";
const SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp";

export type Tell = (cronJob: CronJob, type: "Normal" | "Warning", reason: string, message: string) => void;

export function createCronJobWriter({ caches, events }: ControllerContext) {
  const tell: Tell = (cronJob, type, reason, message) =>
    events.record(SOURCE, { type: Kinds.CronJob, object: cronJob }, { type, reason, message });

  const remove = async (cronJob: CronJob, job: Job): Promise<void> => {
    await caches.jobs.delete(job, { propagationPolicy: "Background" });
    tell(cronJob, "Normal", "SuccessfulDelete", `Deleted job ${identityOf(job).name}`);
  };

  /** One of the same name that is ours was made by a write whose answer got lost; undefined: it is somebody else's. */
  const createOrFind = async (cronJob: CronJob, name: string, at: number): Promise<Job | undefined> => {
    try {
      const job = await caches.jobs.create(jobOf(cronJob, name, at));
      tell(cronJob, "Normal", "SuccessfulCreate", `Created job ${name}`);
      return job;
    } catch (thrown) {
      if (!(thrown instanceof KubeError && thrown.reason === "AlreadyExists")) {
        tell(cronJob, "Warning", "FailedCreate", `Error creating job: ${errorMessage(thrown)}`);
        throw thrown;
      }
      const job = await caches.jobs.fetch(identityOf(cronJob).namespace, name);
      return job !== undefined && controllerOf(job)?.uid === identityOf(cronJob).uid ? job : undefined;
    }
  };

  return {
    tell,
    remove,

    /** Removes the oldest ended Jobs beyond the limits; returns their uids. */
    async trim(cronJob: CronJob, jobs: readonly Job[]): Promise<ReadonlySet<string>> {
      const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
      const surplus = [
        ...oldest(jobs, "Complete", successfulJobsHistoryLimit),
        ...oldest(jobs, "Failed", failedJobsHistoryLimit),
      ];
      await Promise.all(surplus.map((job) => remove(cronJob, job)));
      return new Set(surplus.map((job) => identityOf(job).uid));
    },

    /** The status with the Job of this start, which is made unless it is there. */
    async create(cronJob: CronJob, name: string, at: number): Promise<CronJobStatus> {
      const status = cronJob.status ?? {};
      const job = await createOrFind(cronJob, name, at);
      if (job === undefined) return status;
      return { ...status, active: [...(status.active ?? []), referenceTo(job)], lastScheduleTime: kubeTime(at) };
    },
  };
}

/** The status with what became of the Jobs that were active. */
export function observeJobs(tell: Tell, cronJob: CronJob, jobs: readonly Job[]): CronJobStatus {
  const { active: before = [], ...rest } = cronJob.status ?? {};
  const byUid = new Map(jobs.map((job) => [identityOf(job).uid, job]));
  const active = before.filter(({ uid = "", name }) => {
    const job = byUid.get(uid);
    if (job === undefined) tell(cronJob, "Normal", "MissingJob", `Active job went missing: ${name}`);
    else if (isJobFinished(job)) {
      tell(cronJob, "Normal", "SawCompletedJob", `Saw completed job: ${name}, condition: ${endOf(job)}`);
    } else return true;
    return false;
  });
  const ends = jobs.flatMap(({ status }) => (status?.completionTime === undefined ? [] : [status.completionTime]));
  const latest = [...ends, ...(rest.lastSuccessfulTime ? [rest.lastSuccessfulTime] : [])].sort().at(-1);
  return {
    ...rest,
    ...(active.length === 0 ? {} : { active }),
    ...(latest === undefined ? {} : { lastSuccessfulTime: latest }),
  };
}

function endOf({ status }: Job): "Complete" | "Failed" | undefined {
  const has = (type: string) => conditionOf(status?.conditions, type)?.status === "True";
  return has("Complete") ? "Complete" : has("Failed") ? "Failed" : undefined;
}

function oldest(jobs: readonly Job[], end: "Complete" | "Failed", limit: number | undefined): Job[] {
  if (limit === undefined) return [];
  const ended = jobs.filter((job) => endOf(job) === end && !isBeingDeleted(job));
  const key = ({ metadata, status }: Job) => `${status?.startTime ?? "~"} ${metadata?.name}`;
  return ended.sort((a, b) => (key(a) < key(b) ? -1 : 1)).slice(0, Math.max(0, ended.length - limit));
}

function jobOf(cronJob: CronJob, name: string, at: number): Job {
  const { jobTemplate, timeZone } = cronJob.spec ?? {};
  const { labels, annotations } = jobTemplate?.metadata ?? {};
  return {
    metadata: {
      namespace: identityOf(cronJob).namespace,
      name,
      ...(labels === undefined ? {} : { labels }),
      annotations: { ...annotations, [SCHEDULED]: scheduledTimestamp(at, timeZone) },
      ownerReferences: [controllerReference(Kinds.CronJob, cronJob)],
    },
    ...(jobTemplate?.spec === undefined ? {} : { spec: jobTemplate.spec }),
  };
}

function referenceTo(job: Job): ObjectReference {
  const { namespace, name, uid } = identityOf(job);
  const { resourceVersion } = job.metadata ?? {};
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    namespace,
    name,
    uid,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
}
