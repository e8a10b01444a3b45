// Fields of features that are off in Kubernetes' default configuration, and fields that it has given up: a client may
// send and own them, but nothing is kept.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";

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

const TEMPLATED = [
  ...["/replicationcontrollers", "batch/jobs"],
  ...["deployments", "replicasets", "statefulsets", "daemonsets"].map((name) => `apps/${name}`),
];

/** By resource; `[]` stands for all items of a list, or all values of a map. */
const DISABLED: Readonly<Record<string, readonly string[]>> = {
  "/nodes": ["spec.configSource"],
  "/pods": ["spec.workloadRef"],
  "/podtemplates": ["template.spec.workloadRef"],
  "batch/cronjobs": ["spec.jobTemplate.spec.template.spec.workloadRef"],
  ...Object.fromEntries(TEMPLATED.map((resource) => [resource, ["spec.template.spec.workloadRef"]])),
  "apps/statefulsets": ["spec.template.spec.workloadRef", "spec.updateStrategy.rollingUpdate.maxUnavailable"],
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
  for (const path of DISABLED[resource] ?? []) drop(object, path.replaceAll("[]", ".[]").split("."));
}

function drop(value: JsonValue | undefined, [first = "", ...rest]: readonly string[]): void {
  if (first === "[]") {
    const inside = Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [];
    for (const item of inside) drop(item, rest);
  } else if (isObject(value)) {
    if (rest.length === 0) delete value[first];
    else drop(value[first], rest);
  }
}
