import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { controllerOf, identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { createBackoff } from "./job-backoff.ts";
import { settleConditions } from "./job-conditions.ts";
import { countJob, isJobFinished } from "./job-count.ts";
import { createJobWriter } from "./job-writer.ts";
import { type JobTools, managePods } from "./manage-job-pods.ts";
import { writeJobStatus } from "./write-job-status.ts";

/** Runs the pods of Jobs until enough of them have succeeded or too many failed. */
export function createJobController(context: ControllerContext): Component {
  const { caches, clock, logger, indexes } = context;
  const write = createJobWriter(context);
  const backoff = createBackoff(context);
  const tools: JobTools = { write, backoff, later: (job, ms) => queue.addAfter(objectKey(job), ms) };

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
    const look = { job, pods, count, status: settleConditions(write, job, count, clock.now()) };
    await writeJobStatus(context, tools, look, await managePods(tools, look));
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
