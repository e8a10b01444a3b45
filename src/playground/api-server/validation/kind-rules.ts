// What each built-in kind asks of its objects beyond their schema: one row a kind.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt } from "../json.ts";
import { isIp } from "./addresses.ts";
import {
  checkAutoscaler,
  checkAutoscalerStatus,
  checkDisruptionBudget,
  checkDisruptionBudgetStatus,
} from "./autoscaling.ts";
import {
  checkCsiDriver,
  checkLease,
  checkNode,
  checkNodeUpdate,
  checkPersistentVolume,
  checkPersistentVolumeUpdate,
  checkPriorityClass,
  checkPriorityClassUpdate,
  checkRuntimeClass,
  checkRuntimeClassUpdate,
  checkStorageClass,
  checkStorageClassUpdate,
} from "./cluster-kinds.ts";
import {
  checkConfigMap,
  checkConfigMapUpdate,
  checkEvent,
  checkNamespace,
  checkNamespaceStatus,
  checkSecret,
  checkSecretUpdate,
} from "./configuration.ts";
import { checkEndpointSlice, checkEndpoints } from "./endpoints.ts";
import { configMapKey, dns1035Label, dnsLabel, dnsSubdomain, type Format, pathSegment } from "./formats.ts";
import { checkCronJob, checkJob, checkJobUpdate } from "./jobs.ts";
import {
  checkIngress,
  checkIngressClass,
  checkIngressClassUpdate,
  checkIngressCreate,
  checkIpAddress,
  checkIpAddressUpdate,
  checkNetworkPolicy,
  checkServiceCidr,
} from "./networking.ts";
import { checkClaimSpec, checkClaimUpdate } from "./persistent-volume-claims.ts";
import { checkEphemeralUpdate } from "./pods/other-containers.ts";
import { checkPodCreate, checkPodStatus, checkPodTemplate, checkPodUpdate } from "./pods/pods.ts";
import { checkLimitRange, checkQuota, checkQuotaStatus, checkQuotaUpdate } from "./quotas.ts";
import { checkClusterRole, checkClusterRoleBinding, checkRole, checkRoleBinding, checkRoleRefUpdate } from "./rbac.ts";
import { checkService, checkServiceStatus, checkServiceUpdate } from "./services.ts";
import { checkStatefulSet, checkStatefulSetUpdate } from "./stateful-sets.ts";
import { checkStatusCounts, type StatusCounts } from "./status-counts.ts";
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

type Check = (object: JsonObject) => FieldError[];
type Compare = (object: JsonObject, old: JsonObject) => FieldError[];

export interface KindRules {
  /** A DNS subdomain when absent. */
  readonly name?: Format;
  /** Beyond metadata, of a new object. */
  readonly create?: Check;
  /** Beyond metadata, of an object that changes. */
  readonly update?: Compare;
  /** Through the status door. */
  readonly status?: Compare;
  /** Through other doors of their own, by subresource. */
  readonly doors?: Readonly<Record<string, Compare>>;
  /** Kubernetes checks metadata as of a new object once more on update. */
  readonly wholeAgain?: "before" | "after";
  /** Kubernetes checks what does not change only at creation. */
  readonly metaLast?: boolean;
  /** Kinds outside the core's rules take any qualified finalizer. */
  readonly anyFinalizer?: boolean;
}

/** New and changed objects alike, then what compares the two. */
const both =
  (check: Check, compare?: Compare): Compare =>
  (object, old) => [...check(object), ...(compare?.(object, old) ?? [])];

const counts =
  (rule: StatusCounts): Compare =>
  (object, old) =>
    checkStatusCounts(object, old, rule);

const NOT_ABOVE = "cannot be greater than readyReplicas";
const claim: Check = (object) => checkClaimSpec("spec", objectAt(object, "spec"));
const podTemplate: Check = (object) => checkPodTemplate("template", objectAt(object, "template"));
const ipName: Format = (name) => (isIp(name) ? [] : ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]);

const core: Readonly<Record<string, KindRules>> = {
  "/configmaps": {
    create: checkConfigMap,
    update: (map, old) => [...checkConfigMapUpdate(map, old), ...checkConfigMap(map)],
    wholeAgain: "after",
  },
  "/secrets": {
    create: checkSecret,
    update: (secret, old) => [...checkSecretUpdate(secret, old), ...checkSecret(secret)],
    wholeAgain: "after",
  },
  "/serviceaccounts": { wholeAgain: "after" },
  "/namespaces": { name: dnsLabel, create: checkNamespace, status: checkNamespaceStatus },
  "/nodes": { create: checkNode, update: checkNodeUpdate, status: checkNodeUpdate },
  "/pods": {
    create: checkPodCreate,
    update: checkPodUpdate,
    status: checkPodStatus,
    doors: { ephemeralcontainers: checkEphemeralUpdate },
  },
  "/podtemplates": { create: podTemplate, update: podTemplate },
  "/services": { name: dns1035Label, create: checkService, update: checkServiceUpdate, status: checkServiceStatus },
  "/endpoints": { create: checkEndpoints, update: checkEndpoints, wholeAgain: "after" },
  "/persistentvolumeclaims": { create: claim, update: both(claim, checkClaimUpdate), wholeAgain: "after" },
  "/persistentvolumes": {
    create: checkPersistentVolume,
    update: both(checkPersistentVolume, checkPersistentVolumeUpdate),
    metaLast: true,
    wholeAgain: "before",
  },
  "/replicationcontrollers": {
    create: checkReplicationController,
    update: both(checkReplicationController),
    status: counts({
      counts: ["replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration"],
      belowReplicas: ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"],
      belowReady: NOT_ABOVE,
    }),
  },
  "/resourcequotas": { create: checkQuota, update: both(checkQuota, checkQuotaUpdate), status: checkQuotaStatus },
  "/events": { name: pathSegment, create: checkEvent, anyFinalizer: true },
  "/limitranges": { create: checkLimitRange, update: both(checkLimitRange), wholeAgain: "before" },
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
    wholeAgain: "after",
  },
  "batch/jobs": { create: checkJob, update: (job, old) => [...checkJob(job), ...checkJobUpdate(job, old)] },
  "batch/cronjobs": { create: (cron) => checkCronJob(cron), update: checkCronJob },
  "autoscaling/horizontalpodautoscalers": {
    create: checkAutoscaler,
    update: both(checkAutoscaler),
    status: checkAutoscalerStatus,
  },
  "policy/poddisruptionbudgets": {
    name: pathSegment,
    anyFinalizer: true,
    create: checkDisruptionBudget,
    update: both(checkDisruptionBudget),
    status: checkDisruptionBudgetStatus,
  },
};

const ADMISSION = "admissionregistration.k8s.io/";
/** Their rules are admission's. */
const none: Check = () => [];
const RBAC = "rbac.authorization.k8s.io/";

const others: Readonly<Record<string, KindRules>> = {
  [`${RBAC}roles`]: {
    name: pathSegment,
    create: checkRole,
    update: both(checkRole),
    metaLast: true,
    wholeAgain: "before",
  },
  [`${RBAC}clusterroles`]: {
    name: pathSegment,
    create: checkClusterRole,
    update: both(checkClusterRole),
    metaLast: true,
    wholeAgain: "before",
  },
  [`${RBAC}rolebindings`]: {
    name: pathSegment,
    create: checkRoleBinding,
    update: both(checkRoleBinding, checkRoleRefUpdate),
    wholeAgain: "before",
  },
  [`${RBAC}clusterrolebindings`]: {
    name: pathSegment,
    create: checkClusterRoleBinding,
    update: both(checkClusterRoleBinding, checkRoleRefUpdate),
    wholeAgain: "before",
  },
  "networking.k8s.io/ingresses": { create: checkIngressCreate, update: both(checkIngress), wholeAgain: "after" },
  "networking.k8s.io/ingressclasses": {
    create: checkIngressClass,
    update: (one, old) => [...checkIngressClassUpdate(one, old), ...checkIngressClass(one)],
    wholeAgain: "after",
  },
  "networking.k8s.io/networkpolicies": { create: checkNetworkPolicy, update: both(checkNetworkPolicy) },
  "networking.k8s.io/ipaddresses": { name: ipName, create: checkIpAddress, update: checkIpAddressUpdate },
  "networking.k8s.io/servicecidrs": { create: checkServiceCidr, update: both(checkServiceCidr) },
  "discovery.k8s.io/endpointslices": {
    create: checkEndpointSlice,
    update: checkEndpointSlice,
    wholeAgain: "before",
  },
  "scheduling.k8s.io/priorityclasses": { create: checkPriorityClass, update: checkPriorityClassUpdate },
  "node.k8s.io/runtimeclasses": { create: checkRuntimeClass, update: checkRuntimeClassUpdate, anyFinalizer: true },
  "coordination.k8s.io/leases": { create: checkLease, update: both(checkLease), anyFinalizer: true },
  "coordination.k8s.io/leasecandidates": { name: configMapKey, anyFinalizer: true },
  "storage.k8s.io/storageclasses": { create: checkStorageClass, update: checkStorageClassUpdate },
  "storage.k8s.io/csidrivers": { create: checkCsiDriver, update: both(checkCsiDriver) },
  "certificates.k8s.io/certificatesigningrequests": { name: pathSegment },
  "apiregistration.k8s.io/apiservices": { name: pathSegment, anyFinalizer: true },
  [`${ADMISSION}mutatingwebhookconfigurations`]: { create: none, update: none, anyFinalizer: true },
  [`${ADMISSION}validatingwebhookconfigurations`]: { create: none, update: none, anyFinalizer: true },
  [`${ADMISSION}validatingadmissionpolicies`]: { anyFinalizer: true },
  [`${ADMISSION}validatingadmissionpolicybindings`]: { anyFinalizer: true },
};

const RULES: Readonly<Record<string, KindRules>> = { ...core, ...apps, ...others };
const NONE: KindRules = {};

export const rulesOf = (key: string): KindRules => RULES[key] ?? NONE;
export const nameFormat = (key: string): Format => rulesOf(key).name ?? dnsSubdomain;
