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
import { volumeScenarios } from "./volumes.ts";

/** By area, as the table of compatibility shows them. */
export const areas: Readonly<Record<string, readonly Scenario[]>> = {
  Deployment: deploymentScenarios,
  ReplicaSet: replicaSetScenarios,
  StatefulSet: statefulSetScenarios,
  DaemonSet: daemonSetScenarios,
  "Job, CronJob": jobScenarios,
  "EndpointSlice, Endpoints": endpointScenarios,
  "Namespace, ServiceAccount, PodDisruptionBudget, ServiceCIDR": namespaceScenarios,
  "PersistentVolume, PersistentVolumeClaim": volumeScenarios,
  "Garbage collection": garbageScenarios,
  "Node life, scheduling": nodeScenarios,
};

/** Play on the real controllers in every run, where those are at hand: what their recordings are held to. */
export const onRealToo: ReadonlySet<string> = new Set([
  "deployment-updates-one-by-one",
  "deployment-rolls-back",
  "replica-set-adopts-and-releases",
  "stateful-set-updates",
  "daemon-set-updates",
  "job-indexed",
  "endpoints-of-unready-pods",
  "namespace-gives-back-what-it-needs",
  "disruption-budget-in-percent",
  "claim-goes-with-its-last-pod",
  "garbage-foreground-to-the-end",
  "node-gets-a-no-execute-taint",
]);
