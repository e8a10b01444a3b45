// Fields of features that are off in Kubernetes' default configuration, and fields that it has given up: a client may
// send and own them, but nothing is kept.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject, valueAt } from "../json.ts";
import { visitContainers } from "../validation/pods/windows.ts";

const DEVICES = "spec.devices[]";
const DEVICE_FIELDS = [
  ...["taints", "consumesCounters", "nodeName", "nodeSelector", "allNodes", "allowMultipleAllocations"],
  ...["bindingConditions", "bindingFailureConditions", "bindsToNode"],
];

const claimFields = (spec: string): readonly string[] => [
  ...["exactly", "firstAvailable[]"].flatMap((of) => [
    `${spec}.devices.requests[].${of}.tolerations`,
    `${spec}.devices.requests[].${of}.capacity`,
  ]),
  `${spec}.devices.constraints[].distinctAttribute`,
];

/** Where the spec of a pod is. */
const POD_SPECS: Readonly<Record<string, readonly string[]>> = {
  "/pods": ["spec"],
  "/podtemplates": ["template", "spec"],
  "batch/cronjobs": ["spec", "jobTemplate", "spec", "template", "spec"],
  ...Object.fromEntries(
    [
      ...["/replicationcontrollers", "batch/jobs"],
      ...["deployments", "replicasets", "statefulsets", "daemonsets"].map((name) => `apps/${name}`),
    ].map((resource) => [resource, ["spec", "template", "spec"]]),
  ),
};
const POD_FIELDS = [
  "workloadRef",
  ...["clusterTrustBundle", "podCertificate"].map((source) => `volumes[].projected.sources[].${source}`),
];

/** By resource; `[]` stands for all items of a list, or all values of a map. */
const DISABLED: Readonly<Record<string, readonly string[]>> = {
  "/nodes": ["spec.configSource"],
  "apps/statefulsets": ["spec.updateStrategy.rollingUpdate.maxUnavailable"],
  "coordination.k8s.io/leases": ["spec.strategy", "spec.preferredHolder"],
  "discovery.k8s.io/endpointslices": ["endpoints[].deprecatedTopology"],
  "resource.k8s.io/deviceclasses": ["spec.extendedResourceName"],
  "resource.k8s.io/resourceclaims": [
    ...claimFields("spec"),
    ...["shareID", "consumedCapacity", "bindingConditions", "bindingFailureConditions"].map(
      (field) => `status.allocation.devices.results[].${field}`,
    ),
    "status.devices[].shareID",
  ],
  "resource.k8s.io/resourceclaimtemplates": claimFields("spec.spec"),
  "resource.k8s.io/resourceslices": [
    ...["spec.sharedCounters", "spec.perDeviceNodeSelection", `${DEVICES}.capacity[].requestPolicy`],
    ...DEVICE_FIELDS.map((field) => `${DEVICES}.${field}`),
  ],
};

/** Takes them out of an object of a built-in resource, in place. */
export function dropDisabledFields(resource: string, object: JsonObject): void {
  for (const path of DISABLED[resource] ?? []) dropAt(object, path);
  const path = POD_SPECS[resource];
  const spec = path === undefined ? undefined : valueAt(object, ...path);
  if (!isObject(spec)) return;
  for (const field of POD_FIELDS) dropAt(spec, field);
  for (const { container } of visitContainers("", spec)) dropStopSignal(container);
}

/** Without its signal a lifecycle may have nothing more to say. */
function dropStopSignal(container: JsonObject): void {
  const lifecycle = container["lifecycle"];
  if (!isObject(lifecycle) || lifecycle["stopSignal"] === undefined) return;
  delete lifecycle["stopSignal"];
  if (Object.keys(lifecycle).length === 0) delete container["lifecycle"];
}

const dropAt = (object: JsonObject, path: string) => drop(object, path.replaceAll("[]", ".[]").split("."));

function drop(value: JsonValue | undefined, [first = "", ...rest]: readonly string[]): void {
  if (first === "[]") {
    const inside = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    for (const item of inside) drop(item, rest);
  } else if (isObject(value)) {
    if (rest.length === 0) delete value[first];
    else drop(value[first], rest);
  }
}
