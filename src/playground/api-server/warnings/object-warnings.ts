// What a client is told beside the answer when it writes an object that is valid, but not what it looks like.
import type { JsonObject } from "../contract.ts";
import { formatWarnings } from "../crd/format-warnings.ts";
import { deepEqual, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { dnsLabel } from "../validation/formats.ts";
import {
  endpointSlice,
  endpoints,
  ingress,
  loadBalancerStatus,
  networkPolicy,
  node,
  podStatus,
  service,
} from "./network-warnings.ts";
import { claimSpecWarnings, deadLabels, deadSources, nodeTermWarnings, podWarnings } from "./pod-warnings.ts";
import type { Warn, Write } from "./write.ts";

export function objectWarnings(kind: ResourceKind, write: Write): readonly string[] {
  if (kind.custom !== undefined) return [];
  if (write.subresource === "status") return STATUS_WARNINGS[storageKey(kind)]?.(write.object, write) ?? [];
  // The scale is another door to the spec.
  if (!["", "scale"].includes(write.subresource)) return [];
  return WARNINGS[storageKey(kind)]?.(write.object, write) ?? [];
}

const NAME = "which can result in surprising behavior; a DNS label is recommended";

function nameWarnings(object: JsonObject, use: string): string[] {
  const wrong = dnsLabel(stringAt(object, "metadata", "name"));
  return wrong.length === 0 ? [] : [`metadata.name: ${use}, ${NAME}: [${wrong.join(" ")}]`];
}

const USED_IN_PODS = "this is used in Pod names and hostnames";

/** Templates are looked at when they are new. */
const ofTemplate =
  (path: readonly string[], named: boolean): Warn =>
  (object, { old, specChanged }) => {
    if (old !== undefined && !specChanged) return [];
    const names = named && old === undefined ? nameWarnings(object, USED_IN_PODS) : [];
    return [...names, ...podWarnings(path.join("."), objectAt(object, ...path))];
  };

/** Of one that changes Kubernetes looks at the template as it was. */
const replicationController: Warn = (object, write) => {
  const look = ofTemplate(["spec", "template"], true);
  return write.old === undefined ? look(object, write) : look(write.old, write);
};

/** Of these a change beside the template counts for nothing. */
const daemonSet: Warn = (object, write) => {
  const templateOf = (set: JsonObject | undefined) => objectAt(set, "spec", "template");
  const changed = write.specChanged && !deepEqual(templateOf(object), templateOf(write.old));
  return ofTemplate(["spec", "template"], false)(object, { ...write, specChanged: changed });
};

const pod: Warn = (object, { old }) =>
  old === undefined ? [...nameWarnings(object, "this is used in the Pod's hostname"), ...podWarnings("", object)] : [];

const OLD_CLASS = "volume.beta.kubernetes.io/storage-class";

const claim: Warn = (object) => [
  ...(objectAt(object, "metadata", "annotations")[OLD_CLASS] === undefined
    ? []
    : [`metadata.annotations[${OLD_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
  ...claimSpecWarnings("spec", objectAt(object, "spec")),
];

const statefulSet: Warn = (object, write) => [
  ...ofTemplate(["spec", "template"], false)(object, write),
  ...objectsAt(object, "spec", "volumeClaimTemplates").flatMap((one, index) => {
    const path = `spec.volumeClaimTemplates[${index}]${write.old === undefined ? "" : ".Spec"}`;
    return claimSpecWarnings(path, objectAt(one, "spec"));
  }),
  ...((numberAt(object, "spec", "revisionHistoryLimit") ?? 0) < 0
    ? ["spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"]
    : []),
];

const ENFORCED = "kubernetes.io/enforce-mountable-secrets";

const serviceAccount: Warn = (object, { old }) => {
  const says = (one: JsonObject | undefined) => objectAt(one, "metadata", "annotations")[ENFORCED] !== undefined;
  if (!says(object) || says(old)) return [];
  const advice = "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets";
  return [`metadata.annotations[${ENFORCED}]: ${advice}`];
};

const secret: Warn = (object) => {
  if (stringAt(object, "type") !== "kubernetes.io/tls") return [];
  const text = (key: string) => Buffer.from(stringAt(object, "data", key), "base64").toString();
  const lacks = (key: string, what: string) =>
    text(key).includes("-----BEGIN ") ? [] : [`tls: failed to find any PEM data in ${what} input`];
  return [...lacks("tls.crt", "certificate"), ...lacks("tls.key", "key")].slice(0, 1);
};

const OLD_OPTIONS = "volume.beta.kubernetes.io/mount-options";
const OLD_ANNOTATIONS: readonly (readonly [string, string])[] = [
  [OLD_CLASS, 'deprecated since v1.8; use "storageClassName" attribute instead'],
  [OLD_OPTIONS, 'deprecated since v1.31; use "mountOptions" attribute instead'],
];

const volume: Warn = (object) => [
  ...OLD_ANNOTATIONS.flatMap(([key, text]) =>
    objectAt(object, "metadata", "annotations")[key] === undefined ? [] : [`metadata.annotations[${key}]: ${text}`],
  ),
  ...(stringAt(object, "spec", "persistentVolumeReclaimPolicy") === "Recycle"
    ? [
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
      ]
    : []),
  ...objectsAt(object, "spec", "nodeAffinity", "required", "nodeSelectorTerms").flatMap((term, index) =>
    nodeTermWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${index}]`, term),
  ),
  ...deadSources("spec", objectAt(object, "spec"), DEAD_SOURCES),
];

const DEAD_SOURCES = ["cephfs", "photonPersistentDisk", "scaleIO", "storageos", "glusterfs", "rbd"];

const storageClass: Warn = (object) =>
  objectsAt(object, "allowedTopologies").flatMap((term, at) =>
    objectsAt(term, "matchLabelExpressions").flatMap((expression, index) =>
      deadLabels({ [stringAt(expression, "key")]: "" }).map(
        ([, text]) => `allowedTopologies[${at}].matchLabelExpressions[${index}].key: ${text}`,
      ),
    ),
  );

const storageCapacity: Warn = (object) => {
  const selector = objectAt(object, "nodeTopology");
  return [
    ...nodeTermWarnings("nodeTopology", selector),
    ...deadLabels(objectAt(selector, "matchLabels")).map(([key, text]) => `nodeTopology.matchLabels.${key}: ${text}`),
  ];
};

const TOO_MANY_INDEXES =
  "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail";

/** Of a Job, or of the Jobs that a CronJob makes; `path` leads to its spec. */
const job =
  (path: readonly string[]): Warn =>
  (object, write) => {
    if (write.old !== undefined && !write.specChanged) return [];
    const spec = objectAt(object, ...path);
    const many = (field: string, most: number) => (numberAt(spec, field) ?? 0) > most;
    const isWide = spec["completionMode"] === "Indexed" && many("completions", 100_000) && many("parallelism", 10_000);
    return [
      ...(write.old === undefined ? nameWarnings(object, USED_IN_PODS) : []),
      ...(isWide ? [`${path.join(".")}: ${TOO_MANY_INDEXES}`] : []),
      ...ofTemplate([...path, "template"], false)(object, write),
    ];
  };

const runtimeClass: Warn = (object) =>
  deadLabels(objectAt(object, "scheduling", "nodeSelector")).map(([, text]) => `scheduling.nodeSelector: ${text}`);

const COMPARED = ["cpu", "memory", "storage", "ephemeral-storage"];
const BARE = ["cpu", "memory"];

const quota: Warn = (object, { old }) =>
  (old === undefined ? COMPARED : []).flatMap((name) => {
    const hard = objectAt(object, "spec", "hard");
    const bare = BARE.includes(name) && hard[`requests.${name}`] === undefined ? name : `requests.${name}`;
    const [request, limit] = [hard[bare], hard[`limits.${name}`]];
    if (request === undefined || limit === undefined || nanoUnits(request) <= nanoUnits(limit)) return [];
    return [`ResourceQuota ${bare} (${String(request)}) should be less than limits.${name} (${String(limit)})`];
  });

const TOKENS_IN_SECRETS =
  "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes";

const csiDriver: Warn = (object, { old }) => {
  const tokens = (driver: JsonObject | undefined) => objectsAt(driver, "spec", "tokenRequests");
  const changed = old === undefined || !deepEqual(tokens(object), tokens(old));
  const isUnset = objectAt(object, "spec")["serviceAccountTokenInSecrets"] === undefined;
  return changed && isUnset && tokens(object).length > 0 ? [TOKENS_IN_SECRETS] : [];
};

const resourceSlice: Warn = (object, { old }) => {
  const driver = stringAt(object, "spec", "driver");
  if (old !== undefined || driver === driver.toLowerCase()) return [];
  return [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`];
};

const WARNINGS: Readonly<Record<string, Warn>> = {
  "apiextensions.k8s.io/customresourcedefinitions": (definition, { old }) => formatWarnings(definition, old),
  "/nodes": node,
  "/pods": pod,
  "/resourcequotas": quota,
  "storage.k8s.io/csidrivers": csiDriver,
  "resource.k8s.io/resourceslices": resourceSlice,
  "/podtemplates": ofTemplate(["template"], false),
  "/replicationcontrollers": replicationController,
  "/persistentvolumes": volume,
  "/persistentvolumeclaims": claim,
  "/secrets": secret,
  "/serviceaccounts": serviceAccount,
  "/services": service,
  "apps/deployments": ofTemplate(["spec", "template"], true),
  "apps/replicasets": ofTemplate(["spec", "template"], true),
  "apps/daemonsets": daemonSet,
  "apps/statefulsets": statefulSet,
  "batch/jobs": job(["spec"]),
  "batch/cronjobs": job(["spec", "jobTemplate", "spec"]),
  "networking.k8s.io/ingresses": ingress,
  "node.k8s.io/runtimeclasses": runtimeClass,
  "discovery.k8s.io/endpointslices": endpointSlice,
  "/endpoints": endpoints,
  "networking.k8s.io/networkpolicies": networkPolicy,
  "storage.k8s.io/storageclasses": storageClass,
  "storage.k8s.io/csistoragecapacities": storageCapacity,
};

const STATUS_WARNINGS: Readonly<Record<string, Warn>> = {
  "/pods": podStatus,
  "/services": loadBalancerStatus,
  "networking.k8s.io/ingresses": loadBalancerStatus,
};
