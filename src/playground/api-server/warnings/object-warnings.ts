// What a client is told beside the answer when it writes an object that is valid, but not what it looks like.
import type { JsonObject } from "../contract.ts";
import { formatWarnings } from "../crd/format-warnings.ts";
import { deepEqual, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { nanoUnits } from "../quantity.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { dnsLabel } from "../validation/formats.ts";
import { deadLabels, fractional, nodeTermWarnings, podWarnings } from "./pod-warnings.ts";

export interface Write {
  readonly object: JsonObject;
  /** The object before; undefined for a new one. */
  readonly old: JsonObject | undefined;
  /** "" for the object itself. */
  readonly subresource: string;
  /** Whether an update changes more than metadata and status. */
  readonly specChanged: boolean;
}

type Warn = (object: JsonObject, write: Write) => readonly string[];

export function objectWarnings(kind: ResourceKind, write: Write): readonly string[] {
  // The scale is another door to the spec.
  if (!["", "scale"].includes(write.subresource) || kind.custom !== undefined) return [];
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

function claimSpecWarnings(path: string, spec: JsonObject): string[] {
  return ["requests", "limits"].flatMap((sort) =>
    fractional(`${path}.resources.${sort}[storage]`, objectAt(spec, "resources", sort)["storage"]),
  );
}

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

const INGRESS_CLASS = "kubernetes.io/ingress.class";

const ingress: Warn = (object, { old }) =>
  old === undefined && objectAt(object, "metadata", "annotations")[INGRESS_CLASS] !== undefined
    ? [`annotation "${INGRESS_CLASS}" is deprecated, please use 'spec.ingressClassName' instead`]
    : [];

const volume: Warn = (object) => [
  ...(stringAt(object, "spec", "persistentVolumeReclaimPolicy") === "Recycle"
    ? [
        "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.",
      ]
    : []),
  ...objectsAt(object, "spec", "nodeAffinity", "required", "nodeSelectorTerms").flatMap((term, index) =>
    nodeTermWarnings(`spec.nodeAffinity.required.nodeSelectorTerms[${index}]`, term),
  ),
];

const endpointSlice: Warn = (object, { old }) =>
  old === undefined && stringAt(object, "addressType") === "FQDN"
    ? ["spec.addressType: FQDN endpoints are deprecated"]
    : [];

const SAME_ZONE = 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"';

const service: Warn = (object) => {
  const spec = objectAt(object, "spec");
  const type = stringAt(spec, "type");
  const headless = stringAt(spec, "clusterIP") === "None";
  const external = objectsOrTexts(spec, "externalIPs");
  return [
    ...(headless && stringAt(spec, "loadBalancerIP") !== ""
      ? ["spec.loadBalancerIP is ignored for headless services"]
      : []),
    ...(headless && external ? ["spec.externalIPs is ignored for headless services"] : []),
    ...(headless && stringAt(spec, "sessionAffinity") !== "None"
      ? ["spec.SessionAffinity is ignored for headless services"]
      : []),
    ...(type === "ExternalName" && external ? ['spec.externalIPs is ignored when spec.type is "ExternalName"'] : []),
    ...(type !== "ExternalName" && stringAt(spec, "externalName") !== ""
      ? ['spec.externalName is ignored when spec.type is not "ExternalName"']
      : []),
    ...(stringAt(spec, "trafficDistribution") === "PreferClose" ? [SAME_ZONE] : []),
  ];
};

const objectsOrTexts = (spec: JsonObject, key: string) => Array.isArray(spec[key]) && spec[key].length > 0;

const runtimeClass: Warn = (object) =>
  deadLabels(objectAt(object, "scheduling", "nodeSelector")).map(([, text]) => `scheduling.nodeSelector: ${text}`);

const node: Warn = (object) =>
  stringAt(object, "spec", "externalID") === ""
    ? []
    : ["spec.externalID: this field is deprecated, and is unused by Kubernetes"];

const COMPARED = ["cpu", "memory", "storage", "ephemeral-storage"];
const BARE = ["cpu", "memory"];

const quota: Warn = (object) =>
  COMPARED.flatMap((name) => {
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
  "batch/jobs": ofTemplate(["spec", "template"], true),
  "batch/cronjobs": ofTemplate(["spec", "jobTemplate", "spec", "template"], true),
  "networking.k8s.io/ingresses": ingress,
  "node.k8s.io/runtimeclasses": runtimeClass,
  "discovery.k8s.io/endpointslices": endpointSlice,
};
