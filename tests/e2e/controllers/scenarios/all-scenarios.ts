import type { Scenario } from "../world.ts";
import { daemonSetScenarios } from "./daemon-sets.ts";
import { deploymentScenarios } from "./deployments.ts";
import { endpointScenarios } from "./endpoints.ts";
import { garbageScenarios } from "./garbage.ts";
import { jobScenarios } from "./jobs.ts";
import { namespaceScenarios } from "./namespaces.ts";
import { nodeScenarios } from "./nodes.ts";
import { replicaSetScenarios } from "./replica-sets.ts";
import { statefulSetScenarios } from "./stateful-sets.ts";

/** By area, as the table of compatibility shows them. */
export const areas: Readonly<Record<string, readonly Scenario[]>> = {
  Deployment: deploymentScenarios,
  ReplicaSet: replicaSetScenarios,
  StatefulSet: statefulSetScenarios,
  DaemonSet: daemonSetScenarios,
  "Job, CronJob": jobScenarios,
  "EndpointSlice, Endpoints": endpointScenarios,
  "Namespace, ServiceAccount, PodDisruptionBudget": namespaceScenarios,
  "Garbage collection": garbageScenarios,
  "Node life, scheduling": nodeScenarios,
};
