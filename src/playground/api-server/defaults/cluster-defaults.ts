import type { JsonObject, JsonValue } from "../contract.ts";
import { objectsAt, stringAt } from "../json.ts";
import type { DefaultTable } from "./default-rule.ts";

const RBAC = "rbac.authorization.k8s.io";
const ADMISSION = "io.k8s.api.admissionregistration.v1.";
const EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

const webhook = {
  failurePolicy: "Fail",
  matchPolicy: "Equivalent",
  namespaceSelector: {},
  objectSelector: {},
  timeoutSeconds: 10,
};

const subjectGroup = (subject: JsonObject): JsonValue =>
  subject["kind"] === "User" || subject["kind"] === "Group" ? RBAC : "";

const policyTypes = (spec: JsonObject): JsonValue => [
  "Ingress",
  ...(objectsAt(spec, "egress").length > 0 ? ["Egress"] : []),
];

/** One device, unless the request says how many or all. */
const devices = {
  allocationMode: "ExactCount",
  count: (request: JsonObject) => ((request["allocationMode"] ?? "ExactCount") === "ExactCount" ? 1 : undefined),
};

export const clusterDefaults: DefaultTable = {
  "io.k8s.api.resource.v1.ExactDeviceRequest": devices,
  "io.k8s.api.resource.v1.DeviceSubRequest": devices,
  "io.k8s.api.rbac.v1.RoleRef": { apiGroup: RBAC },
  "io.k8s.api.rbac.v1.Subject": { apiGroup: (subject) => subjectGroup(subject) || undefined },
  [`${ADMISSION}MutatingWebhook`]: { ...webhook, reinvocationPolicy: "Never" },
  [`${ADMISSION}ValidatingWebhook`]: webhook,
  [`${ADMISSION}ServiceReference`]: { port: 443 },
  [`${ADMISSION}RuleWithOperations`]: { scope: "*" },
  [`${EXTENSIONS}CustomResourceDefinitionSpec`]: { conversion: { strategy: "None" } },
  [`${EXTENSIONS}CustomResourceDefinitionNames`]: {
    singular: (names) => stringAt(names, "kind").toLowerCase() || undefined,
    listKind: (names) => (stringAt(names, "kind") === "" ? undefined : `${stringAt(names, "kind")}List`),
  },
  [`${EXTENSIONS}ServiceReference`]: { port: 443 },
  "io.k8s.api.discovery.v1.EndpointPort": { name: "", protocol: "TCP" },
  "io.k8s.api.networking.v1.NetworkPolicySpec": { policyTypes },
  "io.k8s.api.networking.v1.NetworkPolicyPort": { protocol: "TCP" },
  "io.k8s.api.storage.v1.StorageClass": { reclaimPolicy: "Delete", volumeBindingMode: "Immediate" },
  "io.k8s.api.storage.v1.CSIDriverSpec": {
    attachRequired: true,
    podInfoOnMount: false,
    storageCapacity: false,
    fsGroupPolicy: "ReadWriteOnceWithFSType",
    requiresRepublish: false,
    seLinuxMount: false,
    volumeLifecycleModes: ["Persistent"],
  },
  "io.k8s.api.flowcontrol.v1.FlowSchemaSpec": { matchingPrecedence: 1000 },
  "io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration": {
    nominalConcurrencyShares: 30,
    lendablePercent: 0,
  },
  "io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration": { nominalConcurrencyShares: 0, lendablePercent: 0 },
  "io.k8s.api.flowcontrol.v1.QueuingConfiguration": { queues: 64, handSize: 8, queueLengthLimit: 50 },
  [`${ADMISSION}ValidatingAdmissionPolicySpec`]: { failurePolicy: "Fail" },
  [`${ADMISSION}MatchResources`]: { matchPolicy: "Equivalent", namespaceSelector: {}, objectSelector: {} },
  [`${ADMISSION}NamedRuleWithOperations`]: { scope: "*" },
  "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference": { port: 443 },
  "io.k8s.api.networking.v1.IngressClassParametersReference": { scope: "Cluster" },
  "io.k8s.api.scheduling.v1.PriorityClass": { preemptionPolicy: "PreemptLowerPriority" },
};
