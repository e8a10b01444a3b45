// Defaults that a table of single fields cannot say: they look at the whole object, or hold for an object of a kind but
// not for the same part inside a template.

import { containersResources, isPodLevel } from "../amounts/pod-resources.ts";
import { writeResources } from "../amounts/resource-list.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, clone, ensureObject, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";

type Complete = (object: JsonObject) => void;

function isEmpty(object: JsonObject, field: string): boolean {
  return Object.keys(objectAt(object, field)).length === 0;
}

/** A pod asks for what it is limited to, and may see the services of its namespace. */
const pod: Complete = (object) => {
  const spec = objectAt(object, "spec");
  if (object["spec"] !== undefined) spec["enableServiceLinks"] ??= true;
  if ((numberAt(spec, "terminationGracePeriodSeconds") ?? 0) < 0) spec["terminationGracePeriodSeconds"] = 1;
  for (const container of [...objectsAt(spec, "containers"), ...objectsAt(spec, "initContainers")]) {
    const limits = objectAt(container, "resources", "limits");
    if (Object.keys(limits).length === 0) continue;
    const requests = ensureObject(objectAt(container, "resources"), "requests");
    for (const [name, amount] of Object.entries(limits)) requests[name] ??= amount;
  }
  completePodRequests(spec);
  publishHostPorts(spec);
};

/** A pod that is limited as a whole asks for what its containers ask for, else for what it is limited to. */
function completePodRequests(spec: JsonObject): void {
  const own = objectAt(spec, "resources");
  const limits = objectAt(own, "limits");
  if (Object.keys(limits).length === 0) return;
  const requests = ensureObject(own, "requests");
  const ofContainers = writeResources(containersResources(spec, "requests"));
  for (const name of ["cpu", "memory"]) {
    const amount = ofContainers[name];
    if (amount !== undefined) requests[name] ??= amount;
  }
  for (const [name, amount] of Object.entries(limits)) if (isPodLevel(name)) requests[name] ??= amount;
}

/** On the host's network a container's port is the host's. */
function publishHostPorts(spec: JsonObject): void {
  if (spec["hostNetwork"] !== true) return;
  for (const container of [...objectsAt(spec, "containers"), ...objectsAt(spec, "initContainers")]) {
    for (const port of objectsAt(container, "ports")) {
      if ((numberAt(port, "hostPort") ?? 0) === 0) port["hostPort"] = port["containerPort"] ?? 0;
    }
  }
}

const templateOf = (object: JsonObject) => objectAt(object, "spec", "template");

const replicationController: Complete = (object) => {
  const spec = objectAt(object, "spec");
  const own = objectAt(templateOf(object), "metadata", "labels");
  if (isObject(spec["selector"]) && isEmpty(spec, "selector")) spec["selector"] = clone(own);
  const labels = objectAt(templateOf(object), "metadata", "labels");
  const metadata = ensureObject(object, "metadata");
  if (Object.keys(labels).length > 0 && isEmpty(metadata, "labels")) metadata["labels"] = clone(labels);
};

const job: Complete = (object) => {
  const spec = ensureObject(object, "spec");
  if (spec["completions"] === undefined && spec["parallelism"] === undefined) spec["completions"] = 1;
  spec["parallelism"] ??= 1;
  const perIndex = spec["backoffLimitPerIndex"] !== undefined;
  spec["backoffLimit"] ??= perIndex ? 2_147_483_647 : 6;
  spec["completionMode"] ??= "NonIndexed";
  spec["suspend"] ??= false;
  spec["manualSelector"] ??= false;
  spec["podReplacementPolicy"] ??= isObject(spec["podFailurePolicy"]) ? "Failed" : "TerminatingOrFailed";
  // The Job and its template share them: what the server adds to the one, the other has too.
  const labels = objectAt(templateOf(object), "metadata", "labels");
  const metadata = ensureObject(object, "metadata");
  if (Object.keys(labels).length > 0 && isEmpty(metadata, "labels")) metadata["labels"] = labels;
};

const DAEMON_GENERATION = "deprecated.daemonset.template.generation";

/** What a rolling update leaves out; another strategy that has one has nothing in it. */
function completeRolling(strategy: JsonObject, values: JsonObject): void {
  const rolling = strategy["rollingUpdate"];
  if (!isObject(rolling)) return;
  const isUsed = strategy["type"] === "RollingUpdate";
  for (const [field, value] of Object.entries(values)) rolling[field] ??= isUsed ? value : 0;
}

const deployment: Complete = (object) =>
  completeRolling(objectAt(object, "spec", "strategy"), { maxUnavailable: "25%", maxSurge: "25%" });

/** The generation is kept where old clients look for it. */
const daemonSet: Complete = (object) => {
  completeRolling(objectAt(object, "spec", "updateStrategy"), { maxUnavailable: 1, maxSurge: 0 });
  ensureObject(ensureObject(object, "metadata"), "annotations")[DAEMON_GENERATION] ??= "0";
};

/** Plain text that was given becomes data. */
const secret: Complete = (object) => {
  const plain = object["stringData"];
  if (isObject(plain) && Object.keys(plain).length > 0) {
    const data = ensureObject(object, "data");
    for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(String(value)).toString("base64");
  }
  delete object["stringData"];
};

const namespace: Complete = (object) => {
  const metadata = ensureObject(object, "metadata");
  const name = stringAt(metadata, "name");
  if (name !== "") ensureObject(metadata, "labels")["kubernetes.io/metadata.name"] = name;
};

const PERCENT = { type: "Percent", value: 100, periodSeconds: 15 };
const SCALE_UP = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [{ type: "Pods", value: 4, periodSeconds: 15 }, PERCENT],
};
const SCALE_DOWN = { selectPolicy: "Max", policies: [PERCENT] };

const autoscaler: Complete = (object) => {
  const spec = objectAt(object, "spec");
  const behavior = spec["behavior"];
  if (isObject(behavior)) {
    behavior["scaleUp"] = { ...clone(SCALE_UP), ...objectAt(behavior, "scaleUp") };
    behavior["scaleDown"] = { ...clone(SCALE_DOWN), ...objectAt(behavior, "scaleDown") };
  }
  if (object["spec"] === undefined || objectsAt(spec, "metrics").length > 0) return;
  const target = { type: "Utilization", averageUtilization: 80 };
  spec["metrics"] = [{ type: "Resource", resource: { name: "cpu", target } }];
};

/** What a container may have is what it gets by default, and what it gets or must have is what it asks for. */
const limitRange: Complete = (object) => {
  for (const limit of objectsAt(object, "spec", "limits")) {
    if (limit["type"] !== "Container") continue;
    const given = { ...objectAt(limit, "max"), ...objectAt(limit, "default") };
    const asked = { ...objectAt(limit, "min"), ...given, ...objectAt(limit, "defaultRequest") };
    if (Object.keys(given).length > 0) limit["default"] = given;
    if (Object.keys(asked).length > 0) limit["defaultRequest"] = asked;
  }
};

/** What only other choices need is forgotten; an address of a balancer is one that nodes answer at, unless it says else. */
const service: Complete = (object) => {
  const spec = objectAt(object, "spec");
  if (spec["sessionAffinity"] === "None") delete spec["sessionAffinityConfig"];
  if (spec["type"] !== "LoadBalancer") return;
  for (const point of objectsAt(object, "status", "loadBalancer", "ingress")) {
    if (stringAt(point, "ip") !== "") point["ipMode"] ??= "VIP";
  }
};

/** One range for pods is the first of the list; where the two differ it counts. */
const node: Complete = (object) => {
  const spec = objectAt(object, "spec");
  const [one, list] = [stringAt(spec, "podCIDR"), arrayAt(spec, "podCIDRs")];
  if (one !== "" && one !== list[0]) spec["podCIDRs"] = [one];
  else if (one === "" && list.length > 0) spec["podCIDR"] = list[0] ?? "";
};

/** A volume of its own, not one that is written into what attaches it. */
const volume: Complete = (object) => {
  const spec = objectAt(object, "spec");
  spec["volumeMode"] ??= "Filesystem";
  if (stringAt(spec, "persistentVolumeReclaimPolicy") === "") spec["persistentVolumeReclaimPolicy"] = "Retain";
};

const CORE = "io.k8s.api.core.v1.";
const APPS = "io.k8s.api.apps.v1.";

const COMPLETIONS: Readonly<Record<string, Complete>> = {
  [`${CORE}Pod`]: pod,
  [`${CORE}Service`]: service,
  [`${CORE}LimitRange`]: limitRange,
  [`${CORE}Node`]: node,
  [`${CORE}PersistentVolume`]: volume,
  [`${CORE}ReplicationController`]: replicationController,
  [`${CORE}Secret`]: secret,
  [`${CORE}Namespace`]: namespace,
  [`${APPS}Deployment`]: deployment,
  [`${APPS}DaemonSet`]: daemonSet,
  "io.k8s.api.batch.v1.Job": job,
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler": autoscaler,
};

/** Completes an object of the definition `name` in place, after its single fields. */
export function completeObject(object: JsonObject, name: string | undefined): void {
  if (name !== undefined) COMPLETIONS[name]?.(object);
}
