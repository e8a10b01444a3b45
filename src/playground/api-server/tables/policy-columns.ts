// Rows of what rules the cluster: definitions, roles, webhooks, budgets, autoscalers, leases, ingresses.
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { selectorText } from "../operations/scale.ts";
import { balancedAddresses } from "./balanced-addresses.ts";
import { ageColumn, type Column, createdColumn, nameColumn, numberColumn, textColumn } from "./column.ts";

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

const MOST_HOSTS = 3;

/** Rules without a host count, but are not shown. */
function ingressHosts(ingress: JsonObject): string {
  const rules = objectsAt(ingress, "spec", "rules");
  const hosts: string[] = [];
  let more = false;
  for (const rule of rules) {
    more ||= hosts.length === MOST_HOSTS;
    const host = stringAt(rule, "host");
    if (!more && host !== "") hosts.push(host);
  }
  if (hosts.length === 0) return "*";
  return hosts.join(",") + (more ? ` + ${rules.length - MOST_HOSTS} more...` : "");
}

/** A default class says so behind its name. */
function storageClassName(one: JsonObject): string {
  const annotations = objectAt(one, "metadata", "annotations");
  const isDefault = ["storageclass.kubernetes.io", "storageclass.beta.kubernetes.io"].some(
    (prefix) => annotations[`${prefix}/is-default-class`] === "true",
  );
  return `${stringAt(one, "metadata", "name")}${isDefault ? " (default)" : ""}`;
}

/** By `group/plural`. */
export const policyColumns: Readonly<Record<string, readonly Column[]>> = {
  "apiextensions.k8s.io/customresourcedefinitions": [nameColumn, createdColumn],
  "rbac.authorization.k8s.io/roles": [nameColumn, createdColumn],
  "rbac.authorization.k8s.io/clusterroles": [nameColumn, createdColumn],
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
  "networking.k8s.io/ingresses": [
    nameColumn,
    textColumn("Class", (ingress) => stringAt(ingress, "spec", "ingressClassName") || "<none>"),
    textColumn("Hosts", ingressHosts),
    textColumn("Address", (ingress) => balancedAddresses(ingress).join(",")),
    textColumn("Ports", (ingress) => (objectsAt(ingress, "spec", "tls").length > 0 ? "80, 443" : "80")),
    ageColumn,
  ],
  "networking.k8s.io/networkpolicies": [
    nameColumn,
    textColumn("Pod-Selector", (policy) => selectorText(objectAt(policy, "spec", "podSelector")) || "<none>"),
    ageColumn,
  ],
  "storage.k8s.io/storageclasses": [
    { ...nameColumn, cell: storageClassName },
    textColumn("Provisioner", (one) => stringAt(one, "provisioner")),
    textColumn("ReclaimPolicy", (one) => stringAt(one, "reclaimPolicy") || "Delete"),
    textColumn("VolumeBindingMode", (one) => stringAt(one, "volumeBindingMode") || "Immediate"),
    textColumn("AllowVolumeExpansion", (one) => one["allowVolumeExpansion"] === true),
    ageColumn,
  ],
};
