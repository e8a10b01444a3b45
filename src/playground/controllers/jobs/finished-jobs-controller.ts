import type { Job } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { isBeingDeleted } from "../objects/object-meta.ts";
import { isJobFinished } from "./job-count.ts";

/** Removes Jobs `ttlSecondsAfterFinished` after their end, with their pods. */
export function createFinishedJobsController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const queue = new WorkQueue({
    name: "finished-jobs",
    clock,
    logger,
    async reconcile(key) {
      const job = caches.jobs.getByKey(key);
      const expiresAt = job === undefined ? undefined : expiry(job);
      if (job === undefined || expiresAt === undefined || isBeingDeleted(job)) return;
      const wait = expiresAt - clock.now();
      if (wait > 0) return queue.addAfter(key, wait);
      await caches.jobs.delete(job, { propagationPolicy: "Foreground" });
    },
  });
  caches.jobs.onChange(({ object, deleted }) => {
    if (!deleted && expiry(object) !== undefined) queue.add(objectKey(object));
  });
  return controllerComponent(queue, [caches.jobs]);
}

function expiry(job: Job): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  if (seconds === undefined || !isJobFinished(job)) return undefined;
  const end = job.status?.conditions?.find(({ type }) => type === "Complete" || type === "Failed");
  return (Date.parse(end?.lastTransitionTime ?? "") || 0) + seconds * 1000;
}
