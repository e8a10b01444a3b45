import type { Random } from "../generate/random.ts";
import type { JsonMap } from "../step.ts";
import { podTemplate, workloadTemplate } from "./pods.ts";
import type { Templates } from "./template.ts";

const SELECTOR = { matchLabels: { app: "a" } };

const replicated = (random: Random, more: JsonMap = {}): JsonMap => ({
  spec: {
    ...(random.chance(0.7) ? { replicas: random.pick([0, 1, 3]) } : {}),
    selector: SELECTOR,
    template: workloadTemplate(random),
    ...more,
  },
});

const SCALES: JsonMap[] = [{ spec: { replicas: 2 } }, { spec: { replicas: 0 } }];
const WRONG_SCALES: JsonMap[] = [
  { spec: { replicas: -1 } },
  { spec: { selector: { matchLabels: { app: "b" } } } },
  { spec: { template: { metadata: { labels: { app: "b" } } } } },
  { spec: { template: { spec: { restartPolicy: "Never" } } } },
  { spec: { template: { spec: { containers: [] } } } },
];
const TEMPLATE_CHANGE: JsonMap = { spec: { template: { metadata: { labels: { version: "2" } } } } };

export const workloadTemplates: Templates = {
  "/Pod": podTemplate,
  "apps/Deployment": {
    make: (random) =>
      replicated(
        random,
        random.chance(0.3) ? { strategy: { type: "Recreate" } } : random.chance(0.3) ? { minReadySeconds: 3 } : {},
      ),
    changes: [...SCALES, TEMPLATE_CHANGE, { spec: { paused: true } }, { spec: { revisionHistoryLimit: 2 } }],
    refused: [...WRONG_SCALES, { spec: { strategy: { type: "Own" } } }, { spec: { progressDeadlineSeconds: 0 } }],
    status: [
      { status: { replicas: 2, observedGeneration: 1 } },
      { status: { conditions: [{ type: "Available", status: "True" }] } },
    ],
  },
  "apps/ReplicaSet": {
    make: (random) => replicated(random),
    changes: [...SCALES, { spec: { minReadySeconds: 1 } }],
    refused: WRONG_SCALES,
    status: [{ status: { replicas: 2, readyReplicas: 1 } }],
  },
  "apps/StatefulSet": {
    make: (random) =>
      replicated(random, random.chance(0.5) ? { serviceName: "svc" } : { podManagementPolicy: "Parallel" }),
    changes: [...SCALES, TEMPLATE_CHANGE, { spec: { updateStrategy: { type: "OnDelete", rollingUpdate: null } } }],
    refused: [...WRONG_SCALES, { spec: { serviceName: "other" } }, { spec: { podManagementPolicy: "Own" } }],
    status: [{ status: { replicas: 1, currentReplicas: 1 } }],
  },
  "apps/DaemonSet": {
    make: (random) => ({ spec: { selector: SELECTOR, template: workloadTemplate(random) } }),
    changes: [TEMPLATE_CHANGE, { spec: { updateStrategy: { type: "OnDelete", rollingUpdate: null } } }],
    refused: WRONG_SCALES.slice(1),
    status: [
      { status: { currentNumberScheduled: 1, numberMisscheduled: 0, desiredNumberScheduled: 1, numberReady: 0 } },
    ],
  },
  "apps/ControllerRevision": {
    make: (random) => ({ revision: random.pick([1, 2]), data: { spec: { x: 1 } } }),
    changes: [{ revision: 3 }],
    refused: [{ data: { spec: { x: 2 } } }, { revision: -1 }],
  },
  "/ReplicationController": {
    make: (random) => ({
      spec: { replicas: random.pick([0, 1]), selector: { app: "a" }, template: workloadTemplate(random) },
    }),
    changes: SCALES,
    refused: [{ spec: { replicas: -1 } }, { spec: { selector: {} } }, { spec: { selector: { app: "b" } } }],
    status: [{ status: { replicas: 1 } }],
  },
  "batch/Job": {
    make: (random) => ({
      spec: {
        template: {
          spec: {
            restartPolicy: random.pick(["Never", "OnFailure"]),
            containers: [{ name: "main", image: "example.com/job" }],
          },
        },
        ...(random.chance(0.3) ? { completions: 2, parallelism: 2 } : {}),
        ...(random.chance(0.2) ? { suspend: true } : {}),
      },
    }),
    changes: [
      { spec: { parallelism: 3 } },
      { spec: { suspend: true } },
      { spec: { backoffLimit: 2 } },
      { spec: { ttlSecondsAfterFinished: 9 } },
    ],
    refused: [
      { spec: { completions: 5 } },
      { spec: { template: { spec: { restartPolicy: "Always" } } } },
      { spec: { backoffLimit: -1 } },
    ],
    status: [{ status: { active: 1, startTime: "2001-02-03T04:05:06Z" } }],
  },
  "batch/CronJob": {
    make: (random) => ({
      spec: {
        schedule: random.pick(["*/5 * * * *", "@hourly"]),
        jobTemplate: {
          spec: {
            template: { spec: { restartPolicy: "Never", containers: [{ name: "main", image: "example.com/job" }] } },
          },
        },
        ...(random.chance(0.3) ? { concurrencyPolicy: "Forbid", timeZone: "UTC" } : {}),
      },
    }),
    changes: [
      { spec: { suspend: true } },
      { spec: { schedule: "1 2 3 4 5" } },
      { spec: { successfulJobsHistoryLimit: 1 } },
    ],
    refused: [
      { spec: { schedule: "not a schedule" } },
      { spec: { concurrencyPolicy: "Own" } },
      { spec: { timeZone: "Local" } },
    ],
    status: [{ status: { lastScheduleTime: "2001-02-03T04:05:06Z" } }],
  },
  "autoscaling/HorizontalPodAutoscaler": {
    make: (random) => ({
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "a" },
        maxReplicas: random.pick([3, 5]),
        ...(random.chance(0.5) ? { minReplicas: 2 } : {}),
      },
    }),
    changes: [{ spec: { maxReplicas: 9 } }],
    refused: [{ spec: { maxReplicas: 0 } }, { spec: { minReplicas: 100 } }, { spec: { scaleTargetRef: { name: "" } } }],
    status: [{ status: { currentReplicas: 1, desiredReplicas: 2 } }],
  },
  "policy/PodDisruptionBudget": {
    make: (random) => ({
      spec: { selector: SELECTOR, ...random.pick<JsonMap>([{ minAvailable: 1 }, { maxUnavailable: "50%" }]) },
    }),
    changes: [
      { spec: { unhealthyPodEvictionPolicy: "AlwaysAllow" } },
      { spec: { minAvailable: null, maxUnavailable: 2 } },
    ],
    refused: [
      { spec: { minAvailable: -1, maxUnavailable: null } },
      { spec: { minAvailable: 1, maxUnavailable: 1 } },
      { spec: { unhealthyPodEvictionPolicy: "Own" } },
    ],
    status: [{ status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 } }],
  },
};
