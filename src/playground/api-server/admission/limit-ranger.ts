// Plug-in `LimitRanger`: the limits of a namespace on what its pods and claims may ask for, and what they get unasked.

import { containerResources, podResources } from "../amounts/pod-resources.ts";
import { NOTHING, type ResourceList, readResources, writeResources } from "../amounts/resource-list.ts";
import type { AdmissionAttributes, AdmissionPlugin, JsonObject, ObjectAccess } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { formatQuantity, type Quantity } from "../quantity.ts";
import { joined, refuse } from "./refuse.ts";

const ANNOTATION = "kubernetes.io/limit-ranger";

/** Completes new pods. */
export function limitRangeDefaults(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "LimitRanger",
    async admit(attributes) {
      const { object } = attributes;
      if (object === undefined || !isPod(attributes) || !isLimited(attributes)) return object;
      return rangesOf(objects, attributes).reduce(withDefaults, object);
    },
  };
}

/** Judges pods and claims. */
export function limitRangeLimits(objects: ObjectAccess): AdmissionPlugin {
  return {
    name: "LimitRanger",
    judges: true,
    async admit(attributes) {
      const { object } = attributes;
      if (object === undefined || !isLimited(attributes)) return object;
      for (const range of rangesOf(objects, attributes)) {
        const reasons = objectsAt(range, "spec", "limits").flatMap((limit) =>
          isPod(attributes) ? podFaults(limit, objectAt(object, "spec")) : claimFaults(limit, object),
        );
        if (reasons.length > 0) throw refuse(attributes, joined(reasons));
      }
      return object;
    },
  };
}

const isPod = ({ group, resource }: AdmissionAttributes) => group === "" && resource === "pods";

/** New pods, pods whose resources change, claims; nothing that is being deleted. */
function isLimited(attributes: AdmissionAttributes): boolean {
  const { group, resource, subresource, operation, oldObject } = attributes;
  if (operation !== "CREATE" && operation !== "UPDATE") return false;
  if (stringAt(oldObject, "metadata", "deletionTimestamp") !== "") return false;
  if (isPod(attributes)) return subresource === (operation === "CREATE" ? "" : "resize");
  return group === "" && resource === "persistentvolumeclaims" && subresource === "";
}

const rangesOf = (objects: ObjectAccess, { namespace }: AdmissionAttributes) =>
  objects.list("", "limitranges", namespace);

function withDefaults(pod: JsonObject, range: JsonObject): JsonObject {
  const ofContainers = objectsAt(range, "spec", "limits").filter((limit) => limit["type"] === "Container");
  const all = (key: string): ResourceList =>
    new Map(ofContainers.flatMap((limit) => [...readResources(objectAt(limit, key))]));
  const defaults = { requests: all("defaultRequest"), limits: all("default") };
  const told: string[] = [];
  const spec = objectAt(pod, "spec");
  const completed: JsonObject = { ...spec };
  for (const [list, title] of [
    ["containers", "container"],
    ["initContainers", "init container"],
  ] as const) {
    if (objectsAt(spec, list).length === 0) continue;
    completed[list] = objectsAt(spec, list).map((container) => withResources(container, defaults, { title, told }));
  }
  if (told.length === 0) return pod;
  const metadata = objectAt(pod, "metadata");
  const annotations = {
    ...objectAt(metadata, "annotations"),
    [ANNOTATION]: `LimitRanger plugin set: ${told.join("; ")}`,
  };
  return { ...pod, metadata: { ...metadata, annotations }, spec: completed };
}

function withResources(
  container: JsonObject,
  defaults: Readonly<Record<"requests" | "limits", ResourceList>>,
  { title, told }: { readonly title: string; readonly told: string[] },
): JsonObject {
  const resources: JsonObject = { ...objectAt(container, "resources") };
  for (const [sort, word] of [
    ["requests", "request"],
    ["limits", "limit"],
  ] as const) {
    const given = objectAt(resources, sort);
    const missing = new Map([...defaults[sort]].filter(([name]) => given[name] === undefined));
    if (missing.size === 0) continue;
    resources[sort] = { ...given, ...writeResources(missing) };
    told.push(`${[...missing.keys()].sort().join(", ")} ${word} for ${title} ${stringAt(container, "name")}`);
  }
  return { ...container, resources };
}

interface Asked {
  readonly type: string;
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

function podFaults(limit: JsonObject, spec: JsonObject): string[] {
  const type = stringAt(limit, "type");
  if (type === "Pod") {
    return faultsOf(limit, { type, requests: podResources(spec, "requests"), limits: podResources(spec, "limits") });
  }
  if (type !== "Container") return [];
  return [...objectsAt(spec, "containers"), ...objectsAt(spec, "initContainers")].flatMap((container) =>
    faultsOf(limit, {
      type,
      requests: containerResources(container, "requests"),
      limits: containerResources(container, "limits"),
    }),
  );
}

function faultsOf(limit: JsonObject, asked: Asked): string[] {
  return [
    ...check(limit, "min", (name, bound) => minimumFault(name, bound, asked)),
    ...check(limit, "max", (name, bound) => maximumFault(name, bound, asked)),
    ...check(limit, "maxLimitRequestRatio", (name, bound) => ratioFault(name, bound, asked)),
  ];
}

function claimFaults(limit: JsonObject, claim: JsonObject): string[] {
  const type = stringAt(limit, "type");
  if (type !== "PersistentVolumeClaim") return [];
  const requests = readResources(objectAt(claim, "spec", "resources", "requests"));
  const asked: Asked = { type, requests, limits: new Map() };
  return [
    ...check(limit, "min", (name, bound) => minimumFault(name, bound, asked)),
    ...check(limit, "max", (name, bound) => {
      const title = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`;
      const request = requests.get(name);
      if (request === undefined) return `${title}.  No request is specified`;
      return exceeds(request, bound) ? `${title}, but request is ${formatQuantity(request)}` : undefined;
    }),
  ];
}

function check(
  limit: JsonObject,
  key: string,
  fault: (name: string, bound: Quantity) => string | undefined,
): readonly string[] {
  return [...readResources(objectAt(limit, key))].flatMap(([name, bound]) => fault(name, bound) ?? []);
}

function minimumFault(name: string, bound: Quantity, { type, requests, limits }: Asked): string | undefined {
  const title = `minimum ${name} usage per ${type} is ${formatQuantity(bound)}`;
  const [request, limit] = [requests.get(name), limits.get(name)];
  if (request === undefined) return `${title}.  No request is specified`;
  if (exceeds(bound, request)) return `${title}, but request is ${formatQuantity(request)}`;
  if (limit !== undefined && exceeds(bound, limit)) return `${title}, but limit is ${formatQuantity(limit)}`;
  return undefined;
}

function maximumFault(name: string, bound: Quantity, { type, requests, limits }: Asked): string | undefined {
  const title = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`;
  const [request, limit] = [requests.get(name), limits.get(name)];
  if (limit === undefined) return `${title}.  No limit is specified`;
  if (exceeds(limit, bound)) return `${title}, but limit is ${formatQuantity(limit)}`;
  if (request !== undefined && exceeds(request, bound)) return `${title}, but request is ${formatQuantity(request)}`;
  return undefined;
}

function ratioFault(name: string, bound: Quantity, { type, requests, limits }: Asked): string | undefined {
  const title = `${name} max limit to request ratio per ${type} is ${formatQuantity(bound)}`;
  const [request, limit] = [requests.get(name) ?? NOTHING, limits.get(name) ?? NOTHING];
  if (request.value === 0n) return `${title}, but no request is specified or request is 0`;
  if (limit.value === 0n) return `${title}, but no limit is specified or limit is 0`;
  const ratio = Number(thousandths(limit)) / Number(thousandths(request));
  if (ratio * 1000 <= Number(thousandths(bound))) return undefined;
  return `${title}, but provided ratio is ${ratio.toFixed(6)}`;
}

/** Kubernetes compares in thousandths, rounded up. */
function thousandths({ value }: Quantity): bigint {
  const step = 1_000_000n;
  return value >= 0n ? (value + step - 1n) / step : value / step;
}

const exceeds = (a: Quantity, b: Quantity) => thousandths(a) > thousandths(b);
