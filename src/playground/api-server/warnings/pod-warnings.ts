// What a client is warned of in a pod or a template of pods: fields that are dead, doubled or mean nothing.
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { canonicalQuantity, isWhole } from "../quantity.ts";
import { labelValue } from "../validation/formats.ts";
import { ipWarnings } from "./address-warnings.ts";
import { type Placed, portWarnings } from "./port-warnings.ts";
import { volumePathWarnings } from "./volume-path-warnings.ts";

const SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";

const DEAD_ANNOTATIONS: readonly (readonly [string, string])[] = [
  ["scheduler.alpha.kubernetes.io/critical-pod", 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ["security.alpha.kubernetes.io/sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
  ["security.alpha.kubernetes.io/unsafe-sysctls", 'non-functional in v1.11+; use the "sysctls" field instead'],
];

const DEAD_VOLUMES: Readonly<Record<string, string>> = {
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
};

const DEAD_LABELS: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "app.kubernetes.io/created-by": "deprecated since v1.9",
  "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
  "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
};

const NO_SELECTOR = "a null labelSelector results in matching no pod";

/** `path` of the template, "" for a pod itself. */
export function podWarnings(path: string, pod: JsonObject): string[] {
  const metadata = objectAt(pod, "metadata");
  const spec = objectAt(pod, "spec");
  const prefix = path === "" ? "" : `${path}.`;
  const at = `${prefix}spec`;
  const annotations = objectAt(metadata, "annotations");
  const noted = `${prefix}metadata.annotations`;
  return [
    ...labelWarnings(at, spec),
    ...DEAD_ANNOTATIONS.flatMap(([key, text]) => (annotations[key] === undefined ? [] : [`${noted}[${key}]: ${text}`])),
    ...objectsAt(spec, "volumes").flatMap((volume, index) => {
      const path = `${at}.volumes[${index}]`;
      const template = objectAt(volume, "ephemeral", "volumeClaimTemplate", "spec");
      return [
        ...deadSources(path, volume, Object.keys(DEAD_VOLUMES)),
        ...claimSpecWarnings(`${path}.ephemeral.volumeClaimTemplate.spec`, template),
      ];
    }),
    ...volumePathWarnings(objectsAt(spec, "volumes")),
    ...doubled(objectsAt(spec, "hostAliases"), "ip").map((index) =>
      twice(`${at}.hostAliases[${index}]`, "ip", objectsAt(spec, "hostAliases")[index]),
    ),
    ...doubled(objectsAt(spec, "imagePullSecrets"), "name").map((index) =>
      twice(`${at}.imagePullSecrets[${index}]`, "name", objectsAt(spec, "imagePullSecrets")[index]),
    ),
    ...objectsAt(spec, "imagePullSecrets").flatMap((secret, index) =>
      stringAt(secret, "name") === "" ? [`${at}.imagePullSecrets[${index}].name: invalid empty name ""`] : [],
    ),
    ...["memory", "ephemeral-storage"].flatMap((name) =>
      fractional(`${at}.overhead[${name}]`, objectAt(spec, "overhead")[name]),
    ),
    ...(annotations[SECCOMP_POD] !== undefined && objectAt(spec, "securityContext")["seccompProfile"] === undefined
      ? [`${noted}[${SECCOMP_POD}]: non-functional in v1.27+; use the "seccompProfile" field instead`]
      : []),
    ...containersOf(at, spec).flatMap((one) =>
      containerWarnings(one, { annotations, noted, isTemplate: path !== "", spec }),
    ),
    ...portWarnings(containersOf(at, spec)),
    ...((numberAt(spec, "terminationGracePeriodSeconds") ?? 0) < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...["podAffinity", "podAntiAffinity"].flatMap((sort) =>
      affinityWarnings(`${at}.affinity.${sort}`, objectAt(spec, "affinity", sort)),
    ),
    ...arrayAt(spec, "dnsConfig", "nameservers").flatMap((ip, index) =>
      ipWarnings(`${at}.dnsConfig.nameservers[${index}]`, String(ip)),
    ),
    ...objectsAt(spec, "hostAliases").flatMap((alias, index) =>
      ipWarnings(`${at}.hostAliases[${index}].ip`, stringAt(alias, "ip")),
    ),
  ];
}

/** Sources of volumes that Kubernetes has given up. */
export const deadSources = (path: string, volume: JsonObject, types: readonly string[]): string[] =>
  types.flatMap((type) => {
    const shown = type === "storageos" ? "storageOS" : type;
    return volume[type] === undefined ? [] : [`${path}.${shown}: ${DEAD_VOLUMES[type]}`];
  });

export function claimSpecWarnings(path: string, spec: JsonObject): string[] {
  return ["requests", "limits"].flatMap((sort) =>
    fractional(`${path}.resources.${sort}[storage]`, objectAt(spec, "resources", sort)["storage"]),
  );
}

const twice = (path: string, field: string, item: JsonObject | undefined) =>
  `${path}.${field}: duplicate ${field} ${JSON.stringify(stringAt(item, field))}`;

/** Indexes of items of which an earlier one has the same field. */
function doubled(items: readonly JsonObject[], field: string): number[] {
  return items.flatMap((item, index) =>
    items.findIndex((other) => stringAt(other, field) === stringAt(item, field)) < index ? [index] : [],
  );
}

/** Bytes cannot be parted. */
export function fractional(path: string, amount: JsonValue | undefined): string[] {
  if (amount === undefined || isWhole(amount)) return [];
  const shown = JSON.stringify(canonicalQuantity(String(amount)));
  return [`${path}: fractional byte value ${shown} is invalid, must be an integer`];
}

function labelWarnings(at: string, spec: JsonObject): string[] {
  const affinity = objectAt(spec, "affinity", "nodeAffinity");
  const required = `${at}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  const preferred = `${at}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution`;
  return [
    ...deadLabels(objectAt(spec, "nodeSelector")).map(([key, text]) => `${at}.nodeSelector[${key}]: ${text}`),
    ...objectsAt(affinity, "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms").flatMap(
      (term, index) => nodeTermWarnings(`${required}[${index}]`, term),
    ),
    ...objectsAt(affinity, "preferredDuringSchedulingIgnoredDuringExecution").flatMap((term, index) =>
      nodeTermWarnings(`${preferred}[${index}].preference`, objectAt(term, "preference"), true),
    ),
    ...objectsAt(spec, "topologySpreadConstraints").flatMap((constraint, index) => {
      const path = `${at}.topologySpreadConstraints[${index}]`;
      const key = stringAt(constraint, "topologyKey");
      const dead = DEAD_LABELS[key];
      return [
        ...(dead === undefined ? [] : [`${path}.topologyKey: ${key} is ${dead}`]),
        ...(constraint["labelSelector"] === undefined ? [`${path}.labelSelector: ${NO_SELECTOR}`] : []),
      ];
    }),
  ];
}

/** Labels of nodes that nodes have no more, with what to use instead. */
export const deadLabels = (labels: JsonObject): (readonly [string, string])[] =>
  Object.keys(labels).flatMap((key) => {
    const text = DEAD_LABELS[key];
    return text === undefined ? [] : [[key, text] as const];
  });

/** Values are told of where validation lets them be. */
export function nodeTermWarnings(path: string, term: JsonObject, checksValues = false): string[] {
  return objectsAt(term, "matchExpressions").flatMap((expression, at) => {
    const field = `${path}.matchExpressions[${at}]`;
    const key = stringAt(expression, "key");
    const dead = DEAD_LABELS[key];
    const values = checksValues ? arrayAt(expression, "values").map(String) : [];
    return [
      ...(dead === undefined ? [] : [`${field}.key: ${key} is ${dead}`]),
      ...values.flatMap((value, index) =>
        labelValue(value).map((message) => `${field}.values[${index}]: ${value} is invalid, ${message}`),
      ),
    ];
  });
}

function affinityWarnings(path: string, affinity: JsonObject): string[] {
  const lacks = (term: JsonObject) => term["labelSelector"] === undefined;
  return [
    ...objectsAt(affinity, "requiredDuringSchedulingIgnoredDuringExecution").flatMap((term, index) =>
      lacks(term)
        ? [`${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${NO_SELECTOR}`]
        : [],
    ),
    ...objectsAt(affinity, "preferredDuringSchedulingIgnoredDuringExecution").flatMap((term, index) =>
      lacks(objectAt(term, "podAffinityTerm"))
        ? [
            `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector: ${NO_SELECTOR}`,
          ]
        : [],
    ),
  ];
}

function containersOf(at: string, spec: JsonObject): Placed[] {
  return ["initContainers", "containers", "ephemeralContainers"].flatMap((list) =>
    objectsAt(spec, list).map((container, index) => ({ path: `${at}.${list}[${index}]`, container })),
  );
}

interface Surroundings {
  readonly annotations: JsonObject;
  readonly noted: string;
  readonly isTemplate: boolean;
  readonly spec: JsonObject;
}

function containerWarnings(
  { path, container }: Placed,
  { annotations, noted, isTemplate, spec }: Surroundings,
): string[] {
  const name = stringAt(container, "name");
  const context = objectAt(container, "securityContext");
  const said = (prefix: string, field: string) =>
    annotations[`${prefix}${name}`] !== undefined && !isObject(context[field]);
  const profile = objectAt(spec, "securityContext", "appArmorProfile");
  const known = matchesProfile(String(annotations[`${APP_ARMOR}${name}`] ?? ""), profile);
  return [
    ...(said(SECCOMP_CONTAINER, "seccompProfile")
      ? [`${noted}[${SECCOMP_CONTAINER}${name}]: non-functional in v1.27+; use the "seccompProfile" field instead`]
      : []),
    ...(isTemplate && said(APP_ARMOR, "appArmorProfile") && !known
      ? [`${noted}[${APP_ARMOR}${name}]: deprecated since v1.30; use the "appArmorProfile" field instead`]
      : []),
    ...["memory", "ephemeral-storage"].flatMap((resource) =>
      ["limits", "requests"].flatMap((sort) =>
        fractional(`${path}.resources.${sort}[${resource}]`, objectAt(container, "resources", sort)[resource]),
      ),
    ),
    ...hiddenVariables(`${path}.env`, objectsAt(container, "env")),
  ];
}

function matchesProfile(annotation: string, profile: JsonObject): boolean {
  const type = stringAt(profile, "type");
  if (annotation === "unconfined") return type === "Unconfined";
  if (annotation === "runtime/default") return type === "RuntimeDefault";
  return type === "Localhost" && annotation === `localhost/${stringAt(profile, "localhostProfile")}`;
}

function hiddenVariables(path: string, variables: readonly JsonObject[]): string[] {
  return doubled(variables, "name").flatMap((index) => {
    const variable = variables[index];
    const name = stringAt(variable, "name");
    const value = stringAt(variable, "value");
    const builds = isObject(variable?.["valueFrom"]) ? false : value.includes(`$(${name})`) && value !== `$(${name})`;
    if (builds) return [];
    return [`${path}[${index}]: hides previous definition of "${name}", which may be dropped when using apply`];
  });
}
