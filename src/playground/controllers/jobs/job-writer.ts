// What a Job does to its pods, each with the event that tells of it.
import { Kinds } from "#api/kinds";
import type { Job, Pod } from "#api/kubernetes/gen/types";
import { errorMessage } from "#base/mesh-error";
import { isNotFound } from "#kube/kube-client";
import type { ControllerContext } from "../controller.ts";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { isTracked, TRACKING } from "./job-pods.ts";

const SOURCE = "job-controller";

export type JobWriter = ReturnType<typeof createJobWriter>;

export function createJobWriter({ caches, events }: ControllerContext) {
  const tell = (job: Job, type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(SOURCE, { type: Kinds.Job, object: job }, { type, reason, message });

  /** The pod is counted, or never will be: it may go. */
  const release = async (pod: Pod): Promise<void> => {
    if (!isTracked(pod)) return;
    const finalizers = (pod.metadata?.finalizers ?? []).filter((name) => name !== TRACKING);
    const metadata = { uid: identityOf(pod).uid, finalizers: finalizers.length === 0 ? null : finalizers };
    try {
      await caches.pods.patch(pod, { metadata });
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
  };

  return {
    tell,
    release,

    async create(job: Job, pod: Pod): Promise<void> {
      try {
        const created = await caches.pods.create(pod);
        tell(job, "Normal", "SuccessfulCreate", `Created pod: ${identityOf(created).name}`);
      } catch (thrown) {
        tell(job, "Warning", "FailedCreate", `Error creating: ${errorMessage(thrown)}`);
        throw thrown;
      }
    },

    /** @param counted the pod is still to be counted, as failed */
    async remove(job: Job, pod: Pod, counted: boolean): Promise<void> {
      if (isBeingDeleted(pod)) return;
      if (!counted) await release(pod);
      await caches.pods.delete(pod);
      tell(job, "Normal", "SuccessfulDelete", `Deleted pod: ${identityOf(pod).name}`);
    },
  };
}
