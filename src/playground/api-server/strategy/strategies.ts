// What a kind does beyond its schema when it is made, changed or checked: one row a resource, functions only where a
// table cannot say it.
import { bindingRules, policyRules, webhookRules } from "../admission/configuration-rules.ts";
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue, UserInfo } from "../contract.ts";
import { definitionRules } from "../crd/definition-rules.ts";
import { markDefinition, prepareDefinition, rememberStorage } from "../crd/definition-strategy.ts";
import { deepEqual, isObject, objectAt } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { storageKey } from "../resource-kind.ts";
import { keepNames, prepareLimitRange, prepareNamespace, prepareVolume } from "./object-strategies.ts";
import { preparePod, preparePodUpdate } from "./pod-strategy.ts";
import { prepareServiceUpdate } from "./service-strategy.ts";
import { prepareSigningRequest, prepareSigningRequestUpdate, type UpdateOf } from "./signing-request-strategy.ts";
import {
  completeJob,
  prepareClaim,
  prepareClaimUpdate,
  prepareDaemonSet,
  prepareJob,
  prepareStatefulSet,
} from "./workload-strategies.ts";

export interface Strategy {
  /** Completes a new object in place, after defaulting. */
  readonly prepareCreate?: (object: JsonObject, user: UserInfo, warn: (text: string) => void) => void;
  /** What a new object gets when it is read for the first time; true when it is something. */
  readonly completeStored?: (object: JsonObject) => boolean;
  readonly prepareUpdate?: (object: JsonObject, old: JsonObject, change: UpdateOf) => void;
  /** A deletion begins by marking the object: what is marked beyond its time. */
  readonly markDeleted?: (marked: JsonObject, now: string) => JsonObject;
  /** Refuses what the schema cannot see. */
  readonly rules?: (object: JsonObject, old: JsonObject | undefined) => FieldError[];
  /** Status given at creation stays: objects that their owner registers whole. */
  readonly keepsStatus?: boolean;
  /** A DELETE that removes the object answers with its last state. */
  readonly returnsDeleted?: boolean;
  /** Dependents stay when a DELETE does not say otherwise. */
  readonly orphans?: boolean;
  /** False: the garbage collector has no say in its objects. */
  readonly collected?: boolean;
  /** Names mean something: a generateName is taken as it is. */
  readonly namesAsGiven?: boolean;
}

const ADMISSION = "admissionregistration.k8s.io/";

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  "/pods": { prepareCreate: preparePod, prepareUpdate: preparePodUpdate, returnsDeleted: true },
  "/events": { collected: false },
  "networking.k8s.io/ipaddresses": { namesAsGiven: true },
  "networking.k8s.io/servicecidrs": { keepsStatus: true },
  "/nodes": { keepsStatus: true },
  "/namespaces": { prepareCreate: prepareNamespace, returnsDeleted: true },
  "/persistentvolumes": { prepareCreate: prepareVolume, returnsDeleted: true },
  "/persistentvolumeclaims": {
    prepareCreate: prepareClaim,
    prepareUpdate: (claim, old, { door }) => (door === "" ? prepareClaimUpdate(claim, old) : undefined),
    completeStored: () => true,
    returnsDeleted: true,
  },
  "/limitranges": { prepareCreate: prepareLimitRange },
  "/podtemplates": { returnsDeleted: true },
  "/replicationcontrollers": { orphans: true },
  "/resourcequotas": { returnsDeleted: true },
  "/serviceaccounts": { prepareCreate: keepNames, prepareUpdate: keepNames, returnsDeleted: true },
  "/services": {
    prepareUpdate: (service, old, { door }) => (door === "" ? prepareServiceUpdate(service, old) : undefined),
    returnsDeleted: true,
  },
  "apps/daemonsets": {
    prepareCreate: (set) => prepareDaemonSet(set),
    prepareUpdate: (set, old) => prepareDaemonSet(set, old),
  },
  "apps/statefulsets": { prepareCreate: prepareStatefulSet, prepareUpdate: prepareStatefulSet },
  "batch/jobs": { prepareCreate: prepareJob, completeStored: completeJob, orphans: true },
  "resource.k8s.io/deviceclasses": { returnsDeleted: true },
  "resource.k8s.io/resourceclaims": { returnsDeleted: true },
  "resource.k8s.io/resourceclaimtemplates": { returnsDeleted: true },
  "resource.k8s.io/resourceslices": { returnsDeleted: true },
  "storage.k8s.io/csidrivers": { returnsDeleted: true },
  "storage.k8s.io/csinodes": { returnsDeleted: true },
  "storage.k8s.io/storageclasses": { returnsDeleted: true },
  "storage.k8s.io/volumeattachments": { returnsDeleted: true },
  "storage.k8s.io/volumeattributesclasses": { returnsDeleted: true },
  "certificates.k8s.io/certificatesigningrequests": {
    prepareCreate: prepareSigningRequest,
    prepareUpdate: prepareSigningRequestUpdate,
  },
  "apiextensions.k8s.io/customresourcedefinitions": {
    prepareCreate: prepareDefinition,
    prepareUpdate: rememberStorage,
    markDeleted: markDefinition,
    rules: definitionRules,
  },
  [`${ADMISSION}mutatingwebhookconfigurations`]: { rules: webhookRules },
  [`${ADMISSION}validatingwebhookconfigurations`]: { rules: webhookRules },
  [`${ADMISSION}validatingadmissionpolicies`]: { rules: policyRules },
  [`${ADMISSION}validatingadmissionpolicybindings`]: { rules: bindingRules },
};

const NONE: Strategy = {};

export function strategyOf(kind: ResourceKind): Strategy {
  return STRATEGIES[storageKey(kind)] ?? NONE;
}

/** Built-in resources that count their generations. */
const GENERATIONS = new Set([
  ...["/pods", "/podtemplates", "/replicationcontrollers"],
  ...["apps/daemonsets", "apps/deployments", "apps/replicasets", "apps/statefulsets", "batch/cronjobs", "batch/jobs"],
  ...["ingresses", "ingressclasses", "networkpolicies"].map((name) => `networking.k8s.io/${name}`),
  ...["flowschemas", "prioritylevelconfigurations"].map((name) => `flowcontrol.apiserver.k8s.io/${name}`),
  ...["mutating", "validating"].map((name) => `admissionregistration.k8s.io/${name}webhookconfigurations`),
  ...["policies", "policybindings"].map((name) => `admissionregistration.k8s.io/validatingadmission${name}`),
  ...["deviceclasses", "resourceslices"].map((name) => `resource.k8s.io/${name}`),
  "discovery.k8s.io/endpointslices",
  "policy/poddisruptionbudgets",
  "scheduling.k8s.io/priorityclasses",
  "apiextensions.k8s.io/customresourcedefinitions",
]);

/** Resources whose updates must say which version they replace, as those of custom resources must. */
const VERSIONED = new Set([
  ...["mutating", "validating"].map((name) => `${ADMISSION}${name}webhookconfigurations`),
  ...["policies", "policybindings"].map((name) => `${ADMISSION}validatingadmission${name}`),
  ...["csidrivers", "csistoragecapacities", "volumeattachments", "csinodes"].map((name) => `storage.k8s.io/${name}`),
  "node.k8s.io/runtimeclasses",
  "policy/poddisruptionbudgets",
  ...["leases", "leasecandidates"].map((name) => `coordination.k8s.io/${name}`),
  ...["podcertificaterequests", "clustertrustbundles"].map((name) => `certificates.k8s.io/${name}`),
  "apiextensions.k8s.io/customresourcedefinitions",
  "apiregistration.k8s.io/apiservices",
]);

/** Resources whose objects a PUT makes when they are not there. */
const MADE_BY_UPDATE = new Set([
  ...["roles", "clusterroles", "rolebindings", "clusterrolebindings"].map(
    (name) => `rbac.authorization.k8s.io/${name}`,
  ),
  ...["/limitranges", "/events", "/services", "/endpoints"],
  ...["leases", "leasecandidates"].map((name) => `coordination.k8s.io/${name}`),
  "node.k8s.io/runtimeclasses",
]);

export const madeByUpdate = (kind: ResourceKind) => MADE_BY_UPDATE.has(storageKey(kind));

export const needsVersion = (kind: ResourceKind) => kind.custom !== undefined || VERSIONED.has(storageKey(kind));

/** New objects have generation 1. */
export function beginsGeneration(kind: ResourceKind): boolean {
  return kind.custom !== undefined || GENERATIONS.has(storageKey(kind));
}

/** Changes are counted. PriorityClasses begin and never count, CSIDrivers count and never begin. */
export function countsGeneration(kind: ResourceKind): boolean {
  const key = storageKey(kind);
  return key === "storage.k8s.io/csidrivers" || (beginsGeneration(kind) && key !== "scheduling.k8s.io/priorityclasses");
}

/** Metadata that the status door leaves as it is; of a few kinds all of it, of most none. */
const FIXED_METADATA: Readonly<Record<string, readonly string[] | "all">> = {
  "/pods": ["ownerReferences"],
  "apps/deployments": ["labels"],
  [`${ADMISSION}validatingadmissionpolicies`]: "all",
  "apiextensions.k8s.io/customresourcedefinitions": "all",
  "apiregistration.k8s.io/apiservices": "all",
  "flowcontrol.apiserver.k8s.io/flowschemas": "all",
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": "all",
  "resource.k8s.io/resourceclaims": "all",
  "storage.k8s.io/volumeattachments": "all",
  "storagemigration.k8s.io/storageversionmigrations": "all",
};

export const fixedMetadata = (kind: ResourceKind): readonly string[] | "all" => FIXED_METADATA[storageKey(kind)] ?? [];

/** Where there was none, an empty list of webhooks or peers, or in them, counts as a change, every time. */
export function emptiesNothing(kind: ResourceKind, sent: JsonObject, old: JsonObject): boolean {
  if (storageKey(kind) === "networking.k8s.io/networkpolicies") return emptiesIn(sent["spec"], old["spec"]);
  return kind.plural.endsWith("webhookconfigurations") && emptiesIn(sent["webhooks"], old["webhooks"]);
}

/** Whether a list, a map of labels or a bundle is empty where there was none. */
function emptiesIn(sent: JsonValue | undefined, old: JsonValue | undefined): boolean {
  if (Array.isArray(sent)) {
    if (sent.length === 0) return old === undefined;
    return sent.some((item, index) => emptiesIn(item, Array.isArray(old) ? old[index] : undefined));
  }
  if (!isObject(sent)) return false;
  return Object.entries(sent).some(([key, child]) => {
    const before = isObject(old) ? old[key] : undefined;
    if (key === "matchLabels" && isObject(child)) return Object.keys(child).length === 0 && before === undefined;
    if (key === "caBundle") return child === "" && before === undefined;
    return emptiesIn(child, before);
  });
}

/** True when anything but metadata and status differs; a custom resource without a status door has only fields. */
export function specChanged(kind: ResourceKind, object: JsonObject, old: JsonObject): boolean {
  const whole = kind.custom !== undefined && !kind.subresources.includes("status");
  const strip = ({ metadata: _m, apiVersion: _a, status, ...rest }: JsonObject): JsonObject =>
    whole && status !== undefined ? { ...rest, status } : rest;
  if (!deepEqual(strip(object), strip(old))) return true;
  const labels = (one: JsonObject) => objectAt(one, "metadata", "labels");
  if (storageKey(kind) === "discovery.k8s.io/endpointslices" && !deepEqual(labels(object), labels(old))) return true;
  // A Deployment's annotations go to its ReplicaSets: they count as content.
  if (kind.group !== "apps" || kind.plural !== "deployments") return false;
  return !deepEqual(objectAt(object, "metadata", "annotations"), objectAt(old, "metadata", "annotations"));
}
