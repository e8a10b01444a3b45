import type { JsonObject } from "../contract.ts";
import type { DefaultTable } from "./default-rule.ts";

const APPS = "io.k8s.api.apps.v1.";
const BATCH = "io.k8s.api.batch.v1.";

const rolling = (value: JsonObject) => (strategy: JsonObject) =>
  strategy["type"] === "RollingUpdate" ? { ...value } : undefined;

export const appsDefaults: DefaultTable = {
  [`${APPS}DeploymentSpec`]: {
    replicas: 1,
    strategy: {},
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  },
  [`${APPS}DeploymentStrategy`]: {
    type: "RollingUpdate",
    rollingUpdate: rolling({ maxUnavailable: "25%", maxSurge: "25%" }),
  },
  [`${APPS}ReplicaSetSpec`]: { replicas: 1 },
  [`${APPS}StatefulSetSpec`]: {
    replicas: 1,
    podManagementPolicy: "OrderedReady",
    updateStrategy: {},
    revisionHistoryLimit: 10,
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
  },
  [`${APPS}StatefulSetPersistentVolumeClaimRetentionPolicy`]: { whenDeleted: "Retain", whenScaled: "Retain" },
  // In this order: whoever says the type says all of it.
  [`${APPS}StatefulSetUpdateStrategy`]: {
    rollingUpdate: ({ type }) => ((type ?? "") === "" ? { partition: 0 } : undefined),
    type: "RollingUpdate",
  },
  [`${APPS}RollingUpdateStatefulSetStrategy`]: { partition: 0 },
  [`${APPS}DaemonSetSpec`]: { updateStrategy: {}, revisionHistoryLimit: 10 },
  [`${APPS}DaemonSetUpdateStrategy`]: {
    type: "RollingUpdate",
    rollingUpdate: rolling({ maxUnavailable: 1, maxSurge: 0 }),
  },
  [`${BATCH}PodFailurePolicyOnPodConditionsPattern`]: { status: "True" },
  [`${BATCH}CronJobSpec`]: {
    concurrencyPolicy: "Allow",
    suspend: false,
    successfulJobsHistoryLimit: 3,
    failedJobsHistoryLimit: 1,
  },
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec": { minReplicas: 1 },
  "io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec": { minReplicas: 1 },
};
