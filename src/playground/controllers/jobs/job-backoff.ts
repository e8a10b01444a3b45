// How long a Job waits after failures before it makes another pod.
import type { Job } from "#api/kubernetes/gen/types";
import type { ControllerContext } from "../controller.ts";
import { identityOf } from "../objects/object-meta.ts";
import type { JobCount } from "./job-count.ts";
import { failuresOf, hasFailed, indexOf, judgeFailure } from "./job-pods.ts";

/** The pause after the first failure, doubled with each further one. */
const BACKOFF_MS = 10_000;
const MAX_BACKOFF_MS = 600_000;

export type JobBackoff = ReturnType<typeof createBackoff>;

export function createBackoff({ clock }: ControllerContext) {
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
