import { Kinds } from "../../../../src/api/kinds.ts";
import type { Job } from "../../../../src/api/kubernetes/gen/types.ts";
import type { Scenario, World } from "../world.ts";
import { valueAt } from "../world.ts";
import { job, podTemplate } from "./manifests.ts";

const { Job: Jobs, CronJob } = Kinds;

const ended = (world: World, name: string, type: "Complete" | "Failed") =>
  world.until(`Job ${name} is ${type}`, async () => {
    const { status } = (await world.get<Job>(Jobs, name)) ?? {};
    return status?.conditions?.some((condition) => condition.type === type && condition.status === "True");
  });

const policyOn = (action: string, values: number[]) => ({
  podFailurePolicy: { rules: [{ action, onExitCodes: { operator: "In", values } }] },
});

export const jobScenarios: readonly Scenario[] = [
  {
    name: "job-completes",
    async run(world) {
      await world.apply(job("work", "succeeds"));
      await ended(world, "work", "Complete");
    },
  },
  {
    name: "job-completes-several",
    async run(world) {
      await world.apply(job("work", "succeeds", { completions: 5, parallelism: 2 }));
      await ended(world, "work", "Complete");
    },
  },
  {
    name: "job-indexed",
    async run(world) {
      await world.apply(job("work", "succeeds", { completions: 3, parallelism: 3, completionMode: "Indexed" }));
      await ended(world, "work", "Complete");
    },
  },
  {
    name: "job-fails",
    async run(world) {
      await world.apply(job("work", "fails", { backoffLimit: 0 }));
      await ended(world, "work", "Failed");
    },
  },
  {
    name: "job-tries-again",
    slow: true,
    async run(world) {
      await world.apply(job("work", "fails", { backoffLimit: 1 }));
      await ended(world, "work", "Failed");
    },
  },
  {
    name: "job-fails-per-index",
    async run(world) {
      const spec = { completions: 3, parallelism: 3, completionMode: "Indexed", backoffLimitPerIndex: 0 };
      await world.apply(job("work", "fails-on-1", spec));
      await ended(world, "work", "Failed");
    },
  },
  {
    name: "job-fails-too-many-indexes",
    async run(world) {
      const spec = {
        completions: 3,
        parallelism: 1,
        completionMode: "Indexed",
        backoffLimitPerIndex: 0,
        maxFailedIndexes: 0,
      };
      await world.apply(job("work", "fails-on-0", spec));
      await ended(world, "work", "Failed");
    },
  },
  {
    name: "job-failure-policy-fails",
    async run(world) {
      await world.apply(job("work", "exits-42", { backoffLimit: 6, ...policyOn("FailJob", [42]) }));
      await ended(world, "work", "Failed");
    },
  },
  {
    name: "job-failure-policy-counts",
    async run(world) {
      await world.apply(job("work", "exits-3", { backoffLimit: 0, ...policyOn("Ignore", [42]) }));
      await ended(world, "work", "Failed");
    },
  },
  {
    name: "job-success-policy",
    async run(world) {
      const successPolicy = { rules: [{ succeededIndexes: "0", succeededCount: 1 }] };
      await world.apply(
        job("work", "fails-on-1", { completions: 2, parallelism: 2, completionMode: "Indexed", successPolicy }),
      );
      await ended(world, "work", "Complete");
    },
    looseEvents: true,
  },
  {
    name: "job-is-suspended",
    async run(world) {
      await world.apply(job("work", "ready", { parallelism: 2, suspend: true }));
      await world.reaches(Jobs, "work", "status.conditions.0.type", "Suspended");
    },
  },
  {
    name: "job-is-resumed-and-suspended",
    async run(world) {
      await world.apply(job("work", "ready", { parallelism: 2, suspend: true }));
      await world.reaches(Jobs, "work", "status.conditions.0.type", "Suspended");
      await world.patch(Jobs, "work", { spec: { suspend: false } });
      await world.reaches(Jobs, "work", "status.ready", 2);
      await world.patch(Jobs, "work", { spec: { suspend: true } });
      await world.pods("job-name=work", 0);
      await world.reaches(Jobs, "work", "status.conditions.0.status", "True");
    },
  },
  {
    name: "job-misses-its-deadline",
    async run(world) {
      await world.apply(job("work", "ready"));
      await world.reaches(Jobs, "work", "status.ready", 1);
      await world.patch(Jobs, "work", { spec: { activeDeadlineSeconds: 1 } });
      await ended(world, "work", "Failed");
      await world.pods("job-name=work", 0);
    },
  },
  {
    name: "job-is-running",
    async run(world) {
      await world.apply(job("work", "ready", { parallelism: 3, completions: 5 }));
      await world.reaches(Jobs, "work", "status.ready", 3);
      await world.patch(Jobs, "work", { spec: { parallelism: 1 } });
      await world.reaches(Jobs, "work", "status.active", 1);
      await world.pods("job-name=work", 1);
    },
  },
  {
    name: "job-is-removed-after-its-end",
    async run(world) {
      await world.apply(job("work", "succeeds", { ttlSecondsAfterFinished: 0 }));
      await world.gone(Jobs, "work");
    },
  },
  {
    name: "job-is-deleted",
    async run(world) {
      await world.apply(job("work", "ready", { parallelism: 2 }));
      await world.reaches(Jobs, "work", "status.ready", 2);
      await world.remove(Jobs, "work", { propagationPolicy: "Background" });
      await world.gone(Jobs, "work");
      await world.pods("job-name=work", 0);
    },
  },
  {
    name: "job-is-orphaned",
    async run(world) {
      await world.apply(job("work", "ready"));
      await world.reaches(Jobs, "work", "status.ready", 1);
      await world.remove(Jobs, "work", { propagationPolicy: "Orphan" });
      await world.gone(Jobs, "work");
      await world.pods("job-name=work", 1, ({ metadata }) => metadata?.finalizers === undefined);
    },
  },
  {
    name: "cron-job-is-suspended",
    async run(world) {
      const template = podTemplate("tick", "succeeds", { restartPolicy: "Never" });
      await world.apply({
        kind: "CronJob",
        metadata: { name: "tick" },
        spec: { schedule: "* * * * *", suspend: true, jobTemplate: { spec: { template } } },
      });
      await world.until("it is there", () => world.get(CronJob, "tick"));
    },
  },
  {
    name: "cron-job-makes-a-job",
    slow: true,
    async run(world) {
      const template = podTemplate("tick", "succeeds", { restartPolicy: "Never" });
      const metadata = { labels: { team: "blue" }, annotations: { note: "of the template" } };
      // Held back as soon as it has seen the first one's end: half a minute is time enough for that.
      await world.apply({
        kind: "CronJob",
        metadata: { name: "tick" },
        spec: { schedule: "@every 30s", jobTemplate: { metadata, spec: { template } } },
      });
      await world.until("it has seen its end", async () => {
        const status = (await world.get(CronJob, "tick"))?.["status"];
        return valueAt(status, "lastSuccessfulTime") !== undefined && valueAt(status, "active") === undefined;
      });
      await world.patch(CronJob, "tick", { spec: { suspend: true } });
    },
  },
];
