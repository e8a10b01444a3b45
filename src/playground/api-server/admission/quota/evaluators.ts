// How much of each countable resource one object uses. Shared by admission, which charges quotas, and by the controller
// that counts anew.

import { containerResources, isPodLevel, podResourcesWithOverhead } from "../../amounts/pod-resources.ts";
import { addResources, countOf, NOTHING, type ResourceList, readResources } from "../../amounts/resource-list.ts";
import type { JsonObject } from "../../contract.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from "../../json.ts";
import type { Quantity } from "../../quantity.ts";
import { claimInScope, noScope, podInScope, type ScopeMatcher } from "./quota-scopes.ts";

export interface Change {
  readonly operation: string;
  readonly subresource: string;
  readonly object: JsonObject;
  readonly oldObject: JsonObject | undefined;
}

export interface Evaluator {
  /** Whether a request can change what is used. */
  handles(change: Change): boolean;
  /** Those of the names that it knows. */
  matching(names: readonly string[]): string[];
  readonly inScope: ScopeMatcher;
  /** What the object must say but does not, as a sentence. */
  missing?(names: readonly string[], object: JsonObject): string | undefined;
  /** `now` in milliseconds. */
  usage(object: JsonObject, now: number): ResourceList;
}

/** The evaluator of a resource; every kind can at least be counted. Undefined for what is never counted. */
export function evaluatorOf(group: string, resource: string): Evaluator | undefined {
  if (IGNORED.has(`${group}/${resource}`)) return undefined;
  return SPECIAL[`${group}/${resource}`] ?? counter(group, resource);
}

const IGNORED = new Set([
  ...["bindings", "componentstatuses", "events"].map((name) => `/${name}`),
  "events.k8s.io/events",
  ...["tokenreviews", "selfsubjectreviews"].map((name) => `authentication.k8s.io/${name}`),
  ...["subjectaccessreviews", "selfsubjectaccessreviews", "localsubjectaccessreviews", "selfsubjectrulesreviews"].map(
    (name) => `authorization.k8s.io/${name}`,
  ),
]);

const ONE = countOf(1);

export const countName = (group: string, resource: string) => `count/${resource}${group === "" ? "" : `.${group}`}`;

/** Of old, these are counted under their plain names too. */
const PLAIN_NAMES = new Set(["configmaps", "resourcequotas", "replicationcontrollers", "secrets"]);

function counter(group: string, resource: string): Evaluator {
  const name = countName(group, resource);
  const own = group === "" && PLAIN_NAMES.has(resource) ? [name, resource] : [name];
  const used: ResourceList = new Map(own.map((one) => [one, ONE]));
  return {
    handles: ({ operation, subresource }) => operation === "CREATE" && subresource === "",
    matching: (names) => known(names, own),
    inScope: noScope,
    usage: () => used,
  };
}

const known = (names: readonly string[], own: readonly string[]) =>
  [...new Set(names.filter((name) => own.includes(name)))].sort();

const COMPUTE = ["cpu", "memory", "ephemeral-storage"];
const POD_NAMES = [
  "count/pods",
  "pods",
  ...COMPUTE,
  ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
];
/** A quota of these asks every container to say them. */
const MUST_SAY = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

const pods: Evaluator = {
  handles({ operation, subresource, object, oldObject }) {
    if (subresource === "resize") return operation === "UPDATE";
    if (subresource !== "") return false;
    if (operation === "CREATE") return true;
    const ends = (pod: JsonObject | undefined) => (numberAt(pod, "spec", "activeDeadlineSeconds") ?? -1) >= 0;
    return operation === "UPDATE" && ends(object) !== ends(oldObject);
  },
  matching: (names) => [
    ...known(names, POD_NAMES),
    ...names.filter((name) => /^(requests\.)?hugepages-/.test(name)),
    ...names.filter(isExtendedRequest),
  ],
  inScope: podInScope,
  missing: unsaidByContainers,
  usage(pod, now) {
    const counted: ResourceList = new Map([["count/pods", ONE]]);
    if (!isCharged(pod, now)) return counted;
    const spec = objectAt(pod, "spec");
    const requests = podResourcesWithOverhead(spec, "requests");
    return addResources(counted, computeUsage(requests, podResourcesWithOverhead(spec, "limits")));
  },
};

/** `requests.example.com/gpu`: resources beyond Kubernetes' own. */
function isExtendedRequest(name: string): boolean {
  if (!name.startsWith("requests.")) return false;
  if (name.startsWith("requests.deviceclass.resource.kubernetes.io/")) return true;
  return name.includes("/") && !name.includes("kubernetes.io/");
}

const isExtended = (name: string) => name.includes("/") && !name.includes("kubernetes.io/");

function unsaidByContainers(names: readonly string[], pod: JsonObject): string | undefined {
  const own = objectAt(pod, "spec", "resources");
  if (["requests", "limits"].some((sort) => Object.keys(objectAt(own, sort)).some(isPodLevel))) return undefined;
  const wanted = names.filter((name) => MUST_SAY.includes(name)).sort();
  const containers = [...objectsAt(pod, "spec", "containers"), ...objectsAt(pod, "spec", "initContainers")];
  const unsaid = wanted.flatMap((name) => {
    const lacking = containers
      .filter((one) => !computeUsage(containerResources(one, "requests"), containerResources(one, "limits")).has(name))
      .map((one) => stringAt(one, "name"));
    return lacking.length === 0 ? [] : [`${name} for: ${[...new Set(lacking)].sort().join(",")}`];
  });
  return unsaid.length === 0 ? undefined : `must specify ${unsaid.join("; ")}`;
}

/** Requests and limits under the names that quotas have for them. */
function computeUsage(requests: ResourceList, limits: ResourceList): Map<string, Quantity> {
  const used = new Map<string, Quantity>([["pods", ONE]]);
  for (const [name, amount] of requests) {
    if (COMPUTE.includes(name) || name.startsWith("hugepages-")) used.set(name, amount);
    if (COMPUTE.includes(name) || name.startsWith("hugepages-") || isExtended(name)) {
      used.set(`requests.${name}`, amount);
    }
  }
  for (const [name, amount] of limits) if (COMPUTE.includes(name)) used.set(`limits.${name}`, amount);
  return used;
}

/** Pods that have ended, or should have, need nothing. */
function isCharged(pod: JsonObject, now: number): boolean {
  if (["Failed", "Succeeded"].includes(stringAt(pod, "status", "phase"))) return false;
  const deleted = stringAt(pod, "metadata", "deletionTimestamp");
  const grace = numberAt(pod, "metadata", "deletionGracePeriodSeconds");
  return deleted === "" || grace === undefined || now <= Date.parse(deleted) + grace * 1000;
}

const SERVICE_NAMES = ["count/services", "services", "services.nodeports", "services.loadbalancers"];

const services: Evaluator = {
  handles: writes,
  matching: (names) => known(names, SERVICE_NAMES),
  inScope: noScope,
  usage(service) {
    const type = stringAt(service, "spec", "type");
    const ports = objectsAt(service, "spec", "ports");
    const balanced = type === "LoadBalancer";
    const given = ports.filter((port) => (numberAt(port, "nodePort") ?? 0) !== 0).length;
    const sparing = balanced && objectAt(service, "spec")["allocateLoadBalancerNodePorts"] === false;
    const nodePorts = sparing ? given : ports.length;
    return new Map([
      ["count/services", ONE],
      ["services", ONE],
      ["services.loadbalancers", balanced ? ONE : NOTHING],
      ["services.nodeports", balanced || type === "NodePort" ? countOf(nodePorts) : NOTHING],
    ]);
  },
};

function writes({ operation, subresource }: Change): boolean {
  return subresource === "" && (operation === "CREATE" || operation === "UPDATE");
}

const CLASS_SUFFIX = ".storageclass.storage.k8s.io/";
const CLAIM_NAMES = ["persistentvolumeclaims", "requests.storage"];

const claims: Evaluator = {
  handles: (change) => writes(change) || (change.subresource === "status" && change.operation === "UPDATE"),
  matching: (names) =>
    names.filter(
      (name) =>
        name === "count/persistentvolumeclaims" ||
        CLAIM_NAMES.some((own) => name === own || name.endsWith(`${CLASS_SUFFIX}${own}`)),
    ),
  inScope: claimInScope,
  usage(claim) {
    const annotation = stringAt(claim, "metadata", "annotations", "volume.beta.kubernetes.io/storage-class");
    const storageClass = annotation === "" ? stringAt(claim, "spec", "storageClassName") : annotation;
    const used = new Map<string, Quantity>([
      ["persistentvolumeclaims", ONE],
      ["count/persistentvolumeclaims", ONE],
    ]);
    const storage = storageOf(claim);
    if (storage !== undefined) used.set("requests.storage", storage);
    if (storageClass === "") return used;
    for (const name of CLAIM_NAMES) {
      const amount = used.get(name);
      if (amount !== undefined) used.set(`${storageClass}${CLASS_SUFFIX}${name}`, amount);
    }
    return used;
  },
};

/** In whole bytes: what the claim asks for, or what it has been given if that is more. */
function storageOf(claim: JsonObject): Quantity | undefined {
  const whole = 1_000_000_000n;
  const roundedUp = ({ value, form }: Quantity): Quantity => ({ value: ((value + whole - 1n) / whole) * whole, form });
  const asked = readResources(objectAt(claim, "spec", "resources", "requests")).get("storage");
  if (asked === undefined) return undefined;
  const given = readResources(objectAt(claim, "status", "allocatedResources")).get("storage");
  const rounded = roundedUp(asked);
  return given !== undefined && given.value > rounded.value ? roundedUp(given) : rounded;
}

const DEVICES_SUFFIX = ".deviceclass.resource.k8s.io/devices";
/** What a claim for all devices counts as: the most that there can be. */
const MOST_DEVICES = 32;

const deviceClaims: Evaluator = {
  handles: writes,
  matching: (names) =>
    names.filter((name) => name === countName("resource.k8s.io", "resourceclaims") || name.endsWith(DEVICES_SUFFIX)),
  inScope: noScope,
  usage(claim) {
    let used: ResourceList = new Map([[countName("resource.k8s.io", "resourceclaims"), ONE]]);
    for (const request of objectsAt(claim, "spec", "devices", "requests")) {
      const choices = arrayAt(request, "firstAvailable").length > 0 ? objectsAt(request, "firstAvailable") : [];
      const asked = choices.length > 0 ? choices : [objectAt(request, "exactly")];
      const most = new Map<string, Quantity>();
      for (const one of asked) {
        const all = stringAt(one, "allocationMode") === "All";
        const name = `${stringAt(one, "deviceClassName")}${DEVICES_SUFFIX}`;
        const amount = countOf(all ? MOST_DEVICES : (numberAt(one, "count") ?? 0));
        if (amount.value > (most.get(name)?.value ?? 0n)) most.set(name, amount);
      }
      used = addResources(used, most);
    }
    return used;
  },
};

const SPECIAL: Readonly<Record<string, Evaluator>> = {
  "/pods": pods,
  "/services": services,
  "/persistentvolumeclaims": claims,
  "resource.k8s.io/resourceclaims": deviceClaims,
};
