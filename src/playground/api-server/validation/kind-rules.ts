// What each built-in kind asks of its objects beyond their schema: one row a kind.
import { objectAt } from "../json.ts";
import {
  checkAutoscaler,
  checkAutoscalerStatus,
  checkDisruptionBudget,
  checkDisruptionBudgetStatus,
} from "./autoscaling.ts";
import { checkNode, checkNodeUpdate } from "./cluster-kinds.ts";
import {
  checkConfigMap,
  checkConfigMapUpdate,
  checkNamespace,
  checkNamespaceStatus,
  checkSecret,
  checkSecretUpdate,
} from "./configuration.ts";
import { checkEndpoints } from "./endpoints.ts";
import { checkEvent, checkEventUpdate } from "./events.ts";
import { dns1035Label, dnsLabel, dnsSubdomain, dnsSubdomainInBytes, type Format } from "./formats.ts";
import { checkJobUpdate } from "./job-updates.ts";
import { checkCronJob, checkJob } from "./jobs.ts";
import { both, type Check, counts, type KindRules } from "./kind-rule.ts";
import { otherKindRules } from "./other-kind-rules.ts";
import { checkClaimSpec, checkClaimUpdate } from "./persistent-volume-claims.ts";
import { checkPersistentVolume, checkPersistentVolumeUpdate } from "./persistent-volumes.ts";
import { checkPodCreate, checkPodStatus, checkPodTemplate, checkPodUpdate } from "./pods/pods.ts";
import { checkEphemeralContainers, checkResize } from "./pods/side-doors.ts";
import { checkLimitRange, checkQuota, checkQuotaStatus, checkQuotaUpdate } from "./quotas.ts";
import { checkService, checkServiceStatus, checkServiceUpdate } from "./services.ts";
import { checkStatefulSet, checkStatefulSetUpdate } from "./stateful-sets.ts";
import {
  checkControllerRevision,
  checkControllerRevisionCreate,
  checkControllerRevisionUpdate,
  checkDaemonSet,
  checkDeployment,
  checkReplicaSet,
  checkReplicationController,
  checkSelectorUpdate,
} from "./workloads.ts";

/** What their metadata must be is all. */
const none: Check = () => [];
const NOT_ABOVE = "cannot be greater than readyReplicas";
const claim: Check = (object) => checkClaimSpec("spec", objectAt(object, "spec"));
const podTemplate: Check = (object) => checkPodTemplate("template", objectAt(object, "template"));

const core: Readonly<Record<string, KindRules>> = {
  "/configmaps": {
    create: checkConfigMap,
    changed: checkConfigMapUpdate,
    update: checkConfigMap,
    meta: ["update", "whole"],
  },
  "/secrets": {
    create: checkSecret,
    changed: checkSecretUpdate,
    update: checkSecret,
    meta: ["update", "whole"],
  },
  "/serviceaccounts": { create: none, meta: ["update", "whole"] },
  "/namespaces": { name: dnsLabel, create: checkNamespace, status: checkNamespaceStatus },
  "/nodes": {
    create: checkNode,
    update: both(checkNode, checkNodeUpdate),
    status: checkNodeUpdate,
    meta: ["whole", "update"],
  },
  "/pods": {
    create: checkPodCreate,
    update: checkPodUpdate,
    status: checkPodStatus,
    doors: { ephemeralcontainers: checkEphemeralContainers, resize: checkResize },
    meta: ["update", "whole"],
  },
  "/podtemplates": { create: podTemplate, update: both(podTemplate) },
  "/services": {
    name: dns1035Label,
    create: (service) => checkService(service),
    update: checkServiceUpdate,
    status: checkServiceStatus,
  },
  "/endpoints": { create: (points) => checkEndpoints(points), update: checkEndpoints, meta: ["update", "whole"] },
  "/persistentvolumeclaims": { create: claim, update: both(claim, checkClaimUpdate), meta: ["update", "whole"] },
  "/persistentvolumes": {
    create: checkPersistentVolume,
    // Kubernetes checks the whole twice here.
    update: (volume, old) => [
      ...checkPersistentVolume(volume),
      ...checkPersistentVolume(volume),
      ...checkPersistentVolumeUpdate(volume, old),
    ],
    status: () => [],
    meta: ["whole", "whole"],
  },
  "/replicationcontrollers": {
    name: dnsSubdomainInBytes,
    anyGenerateName: true,
    create: checkReplicationController,
    update: both(checkReplicationController),
    status: counts({
      counts: ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"],
      belowReplicas: ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
      belowReady: NOT_ABOVE,
    }),
  },
  "/resourcequotas": { create: checkQuota, update: both(checkQuota, checkQuotaUpdate), status: checkQuotaStatus },
  "/events": { create: checkEvent, update: checkEventUpdate, ownMeta: true },
  "/limitranges": { create: checkLimitRange, update: both(checkLimitRange), meta: ["whole"] },
};

const apps: Readonly<Record<string, KindRules>> = {
  "apps/deployments": {
    create: checkDeployment,
    update: both(checkDeployment, checkSelectorUpdate),
    status: counts({
      counts: [
        ...["observedGeneration", "replicas", "updatedReplicas", "readyReplicas", "availableReplicas"],
        ...["unavailableReplicas", "terminatingReplicas", "collisionCount"],
      ],
      belowReplicas: ["updatedReplicas", "readyReplicas", "availableReplicas"],
      belowReady: NOT_ABOVE,
    }),
  },
  "apps/replicasets": {
    create: checkReplicaSet,
    update: both(checkReplicaSet, checkSelectorUpdate),
    status: counts({
      counts: [
        ...["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"],
        "terminatingReplicas",
      ],
      belowReplicas: ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
      belowReady: NOT_ABOVE,
    }),
  },
  "apps/daemonsets": {
    create: checkDaemonSet,
    update: (set, old) => [...checkSelectorUpdate(set, old), ...checkDaemonSet(set)],
    status: counts({
      counts: [
        ...["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"],
        ...["observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"],
      ],
    }),
  },
  "apps/statefulsets": {
    name: dnsLabel,
    create: (set) => checkStatefulSet(set),
    update: (set, old) => [...checkStatefulSet(set, old), ...checkStatefulSetUpdate(set, old)],
    status: counts({
      counts: [
        ...["replicas", "readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
        ...["observedGeneration", "collisionCount"],
      ],
      belowReplicas: ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"],
      belowReady: "cannot be greater than status.readyReplicas",
    }),
  },
  "apps/controllerrevisions": {
    create: checkControllerRevisionCreate,
    update: both(checkControllerRevision, checkControllerRevisionUpdate),
    meta: ["update", "whole"],
  },
  "batch/jobs": { create: checkJob, update: both(checkJob, checkJobUpdate), meta: ["whole", "update"] },
  "batch/cronjobs": { create: (cron) => checkCronJob(cron), update: checkCronJob },
  "autoscaling/horizontalpodautoscalers": {
    create: (autoscaler) => checkAutoscaler(autoscaler),
    update: (autoscaler, old) => checkAutoscaler(autoscaler, old),
    status: checkAutoscalerStatus,
  },
  "policy/poddisruptionbudgets": {
    ownMeta: true,
    create: checkDisruptionBudget,
    update: both(checkDisruptionBudget),
    status: checkDisruptionBudgetStatus,
  },
};

const RULES: Readonly<Record<string, KindRules>> = { ...core, ...apps, ...otherKindRules };
const NONE: KindRules = {};

export const rulesOf = (key: string): KindRules => RULES[key] ?? NONE;
export const nameFormat = (key: string): Format => rulesOf(key).name ?? dnsSubdomain;
