// Rows of what rules the cluster: definitions, roles, webhooks, budgets, autoscalers, leases, ingresses.
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { selectorText } from "../operations/scale.ts";
import { ageColumn, type Column, nameColumn, numberColumn, textColumn } from "./column.ts";

const createdAt: Column = {
  name: "Created At",
  type: "date",
  cell: (object) => stringAt(object, "metadata", "creationTimestamp"),
};

const subjects = (kind: string) => (binding: JsonObject) =>
  objectsAt(binding, "subjects")
    .filter((subject) => subject["kind"] === kind)
    .map(
      (subject) => (kind === "ServiceAccount" ? `${stringAt(subject, "namespace")}/` : "") + stringAt(subject, "name"),
    )
    .join(", ");

const bindingColumns: readonly Column[] = [
  nameColumn,
  textColumn("Role", (binding) => `${stringAt(binding, "roleRef", "kind")}/${stringAt(binding, "roleRef", "name")}`),
  ageColumn,
  textColumn("Users", subjects("User"), 1),
  textColumn("Groups", subjects("Group"), 1),
  textColumn("ServiceAccounts", subjects("ServiceAccount"), 1),
];

const webhookColumns: readonly Column[] = [
  nameColumn,
  numberColumn("Webhooks", (configuration) => objectsAt(configuration, "webhooks").length),
  ageColumn,
];

const orNone = (value: unknown) => (value === undefined || value === null ? "N/A" : String(value));

function hpaTargets(hpa: JsonObject): string {
  const currents = objectsAt(hpa, "status", "currentMetrics");
  const shown = objectsAt(hpa, "spec", "metrics").map((metric, index) => {
    const wanted = numberAt(metric, "resource", "target", "averageUtilization");
    const now = numberAt(currents[index], "resource", "current", "averageUtilization");
    return `${stringAt(metric, "resource", "name")}: ${now === undefined ? "<unknown>" : `${now}%`}/${wanted ?? "<auto>"}%`;
  });
  return shown.join(", ") || "<none>";
}

const ingressHosts = (ingress: JsonObject) =>
  objectsAt(ingress, "spec", "rules")
    .map((rule) => stringAt(rule, "host") || "*")
    .join(",") || "*";

/** By `group/plural`. */
export const policyColumns: Readonly<Record<string, readonly Column[]>> = {
  "apiextensions.k8s.io/customresourcedefinitions": [nameColumn, createdAt],
  "rbac.authorization.k8s.io/roles": [nameColumn, createdAt],
  "rbac.authorization.k8s.io/clusterroles": [nameColumn, createdAt],
  "rbac.authorization.k8s.io/rolebindings": bindingColumns,
  "rbac.authorization.k8s.io/clusterrolebindings": bindingColumns,
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": webhookColumns,
  "admissionregistration.k8s.io/validatingwebhookconfigurations": webhookColumns,
  "coordination.k8s.io/leases": [
    nameColumn,
    textColumn("Holder", (lease) => stringAt(lease, "spec", "holderIdentity")),
    ageColumn,
  ],
  "policy/poddisruptionbudgets": [
    nameColumn,
    textColumn("Min Available", (budget) => orNone(valueAt(budget, "spec", "minAvailable"))),
    textColumn("Max Unavailable", (budget) => orNone(valueAt(budget, "spec", "maxUnavailable"))),
    numberColumn("Allowed Disruptions", (budget) => numberAt(budget, "status", "disruptionsAllowed") ?? 0),
    ageColumn,
  ],
  "autoscaling/horizontalpodautoscalers": [
    nameColumn,
    textColumn("Reference", (hpa) => {
      const reference = objectAt(hpa, "spec", "scaleTargetRef");
      return `${stringAt(reference, "kind")}/${stringAt(reference, "name")}`;
    }),
    textColumn("Targets", hpaTargets),
    textColumn("MinPods", (hpa) => String(numberAt(hpa, "spec", "minReplicas") ?? 1)),
    numberColumn("MaxPods", (hpa) => numberAt(hpa, "spec", "maxReplicas") ?? 0),
    numberColumn("Replicas", (hpa) => numberAt(hpa, "status", "currentReplicas") ?? 0),
    ageColumn,
  ],
  "networking.k8s.io/ingresses": [
    nameColumn,
    textColumn("Class", (ingress) => stringAt(ingress, "spec", "ingressClassName") || "<none>"),
    textColumn("Hosts", ingressHosts),
    textColumn("Address", (ingress) =>
      objectsAt(ingress, "status", "loadBalancer", "ingress")
        .map((one) => stringAt(one, "ip") || stringAt(one, "hostname"))
        .join(","),
    ),
    textColumn("Ports", (ingress) => (objectsAt(ingress, "spec", "tls").length > 0 ? "80, 443" : "80")),
    ageColumn,
  ],
  "networking.k8s.io/networkpolicies": [
    nameColumn,
    textColumn("Pod-Selector", (policy) => selectorText(objectAt(policy, "spec", "podSelector")) || "<none>"),
    ageColumn,
  ],
  "storage.k8s.io/storageclasses": [
    nameColumn,
    textColumn("Provisioner", (one) => stringAt(one, "provisioner")),
    textColumn("ReclaimPolicy", (one) => stringAt(one, "reclaimPolicy")),
    textColumn("VolumeBindingMode", (one) => stringAt(one, "volumeBindingMode")),
    textColumn("AllowVolumeExpansion", (one) => String(one["allowVolumeExpansion"] === true)),
    ageColumn,
  ],
};
