// The kinds that the controllers share: one watch a kind for all of them.

import { Kinds, type ResourceType } from "#api/kinds";
import type {
  ClusterRole,
  ConfigMap,
  ControllerRevision,
  CronJob,
  DaemonSet,
  Deployment,
  EndpointSlice,
  Endpoints,
  Job,
  Lease,
  Namespace,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  ReplicaSet,
  Secret,
  Service,
  ServiceAccount,
  StatefulSet,
  StorageClass,
} from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { type Component, untilAborted } from "#base/component";
import { MANAGED_BY, SLICE_MANAGERS } from "../endpoints/endpoint-slices.ts";
import { metadataOnly, ObjectCache, type ObjectCacheOptions } from "./object-cache.ts";
import { labelsOf } from "./object-meta.ts";

export function createObjectCaches(options: ObjectCacheOptions) {
  const of = <T extends KubeObject>(type: ResourceType, project?: (object: T) => T) =>
    new ObjectCache<T>(type, options, project);
  return {
    clusterRoles: of<ClusterRole>(Kinds.ClusterRole),
    configMaps: of<ConfigMap>(Kinds.ConfigMap),
    controllerRevisions: of<ControllerRevision>(Kinds.ControllerRevision),
    cronJobs: of<CronJob>(Kinds.CronJob),
    customResourceDefinitions: of<KubeObject>(Kinds.CustomResourceDefinition, metadataOnly),
    daemonSets: of<DaemonSet>(Kinds.DaemonSet),
    deployments: of<Deployment>(Kinds.Deployment),
    endpoints: of<Endpoints>(Kinds.Endpoints),
    endpointSlices: of<EndpointSlice>(Kinds.EndpointSlice, withoutForeignEndpoints),
    jobs: of<Job>(Kinds.Job),
    leases: of<Lease>(Kinds.Lease),
    namespaces: of<Namespace>(Kinds.Namespace),
    nodes: of<Node>(Kinds.Node),
    persistentVolumes: of<PersistentVolume>(Kinds.PersistentVolume),
    persistentVolumeClaims: of<PersistentVolumeClaim>(Kinds.PersistentVolumeClaim),
    podDisruptionBudgets: of<PodDisruptionBudget>(Kinds.PodDisruptionBudget),
    pods: of<Pod>(Kinds.Pod),
    replicaSets: of<ReplicaSet>(Kinds.ReplicaSet),
    secrets: of<Secret>(Kinds.Secret),
    serviceAccounts: of<ServiceAccount>(Kinds.ServiceAccount),
    services: of<Service>(Kinds.Service),
    statefulSets: of<StatefulSet>(Kinds.StatefulSet),
    storageClasses: of<StorageClass>(Kinds.StorageClass),
  };
}

/** Slices of other makers are passed on as events, never read. */
function withoutForeignEndpoints(slice: EndpointSlice): EndpointSlice {
  return SLICE_MANAGERS.has(labelsOf(slice)[MANAGED_BY] ?? "") ? slice : { ...slice, endpoints: [] };
}

export type ObjectCaches = ReturnType<typeof createObjectCaches>;

/** Starts the watches. Make it after every controller, so that each has its listeners in place. */
export function runCaches(caches: ObjectCaches): Component {
  return {
    name: "controllers/caches",
    async run(signal) {
      for (const cache of Object.values(caches)) cache.start(signal);
      await untilAborted(signal);
    },
  };
}
