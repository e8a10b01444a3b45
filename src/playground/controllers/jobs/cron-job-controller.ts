import type { CronJob, CronJobStatus, Job } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { errorMessage } from "#base/mesh-error";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { controllerOf, identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { sameStatus } from "../workloads/conditions.ts";
import { createCronJobWriter, observeJobs, type Tell } from "./cron-job-writer.ts";
import { dueOf, parseSchedule, type Schedule } from "./cron-schedule.ts";

/** Clocks of several machines differ by a little. */
const MARGIN_MS = 100;

/** Makes Jobs of CronJobs when they are due, and removes those that ended beyond the limits of history. */
export function createCronJobController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const write = createCronJobWriter(context);

  const reconcile = async (key: string) => {
    const cronJob = caches.cronJobs.getByKey(key);
    if (cronJob === undefined) return;
    const { namespace, uid } = identityOf(cronJob);
    const jobs = caches.jobs.inNamespace(namespace).filter((job) => controllerOf(job)?.uid === uid);
    const news: (() => void)[] = [];
    const status = observeJobs((...told) => news.push(() => write.tell(...told)), cronJob, jobs);
    const removed = await write.trim(cronJob, jobs);
    const kept = jobs.filter((job) => !removed.has(identityOf(job).uid));
    const started = await start({ ...cronJob, status }, kept);
    if (!sameStatus(cronJob.status, started)) await caches.cronJobs.replace({ ...cronJob, status: started }, "status");
    // Told when it is written: a write that is refused is tried again from the beginning.
    for (const tell of news) tell();
  };

  /** Starts the Job that is due, if one is; returns the status after that. */
  const start = async (cronJob: CronJob, jobs: readonly Job[]): Promise<CronJobStatus> => {
    const status = cronJob.status ?? {};
    const { spec } = cronJob;
    if (spec === undefined || spec.suspend === true || isBeingDeleted(cronJob)) return status;
    const schedule = readSchedule(write.tell, cronJob);
    if (schedule === undefined) return status;
    const now = clock.now();
    const { at, nextInMs, missedMany } = dueOf(cronJob, schedule, now);
    if (nextInMs !== undefined) queue.addAfter(objectKey(cronJob), nextInMs + MARGIN_MS);
    if (at === undefined) return status;
    if (missedMany) write.tell(cronJob, "Warning", "TooManyMissedTimes", TOO_MANY);
    return startAt(at, cronJob, jobs);
  };

  const startAt = async (at: number, cronJob: CronJob, jobs: readonly Job[]): Promise<CronJobStatus> => {
    const { spec, status = {} } = cronJob;
    const active = status.active ?? [];
    const name = `${identityOf(cronJob).name}-${Math.floor(at / 60_000)}`;
    if (active.some((job) => job.name === name) || status.lastScheduleTime === kubeTime(at)) return status;
    if (spec?.concurrencyPolicy === "Forbid" && active.length > 0) {
      write.tell(cronJob, "Normal", "JobAlreadyActive", STILL_RUNNING);
      return status;
    }
    if (spec?.concurrencyPolicy !== "Replace") return write.create(cronJob, name, at);
    const replaced = jobs.filter(({ metadata }) => active.some((job) => job.uid === metadata?.uid));
    await Promise.all(replaced.map((job) => write.remove(cronJob, job)));
    return write.create({ ...cronJob, status: { ...status, active: [] } }, name, at);
  };

  const queue = new WorkQueue({ name: "cron-job", clock, logger, reconcile });
  caches.cronJobs.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  caches.jobs.onChange(({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === "CronJob") queue.add(`${identityOf(object).namespace}/${owner.name}`);
  });
  return controllerComponent(queue, [caches.cronJobs, caches.jobs]);
}

const TOO_MANY = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew";
const STILL_RUNNING = "Not starting job because prior execution is running and concurrency policy is Forbid";

/** undefined: it cannot be read, and an event says so. */
function readSchedule(tell: Tell, cronJob: CronJob): Schedule | undefined {
  const { schedule = "", timeZone } = cronJob.spec ?? {};
  try {
    return parseSchedule({ schedule, ...(timeZone === undefined ? {} : { timeZone }) });
  } catch (thrown) {
    const message = `unparseable schedule: ${JSON.stringify(schedule)} : ${errorMessage(thrown)}`;
    tell(cronJob, "Warning", "UnparseableSchedule", message);
    return undefined;
  }
}
