// Columns of the kinds that people list seldom: what the cluster is made of, and what others registered in it.
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { ageColumn, type Column, createdColumn, labelsText, nameColumn, numberColumn, textColumn } from "./column.ts";
import { shortDuration } from "./durations.ts";

type Cell = (object: JsonObject) => JsonValue;

const text =
  (...path: string[]): Cell =>
  (object) =>
    stringAt(object, ...path);

const orElse =
  (other: string, ...path: string[]): Cell =>
  (object) =>
    stringAt(object, ...path) || other;

const shown =
  (...path: string[]): Cell =>
  (object) => {
    const value = valueAt(object, ...path);
    return value === undefined || value === null ? "<none>" : String(value);
  };

const flag = (name: string, ...path: string[]): Column => ({
  name,
  type: "boolean",
  cell: (object) => valueAt(object, ...path) === true,
});

const condition = (object: JsonObject, type: string) =>
  objectsAt(object, "status", "conditions").find((one) => one["type"] === type);

function available(service: JsonObject): string {
  const found = condition(service, "Available");
  if (found === undefined) return "Unknown";
  return found["status"] === "True" ? "True" : `${stringAt(found, "status")} (${stringAt(found, "reason")})`;
}

function apiServiceTarget(object: JsonObject): string {
  const service = objectAt(object, "spec")["service"];
  return isObject(service) ? `${stringAt(service, "namespace")}/${stringAt(service, "name")}` : "Local";
}

function controllerOf(object: JsonObject): string {
  const owner = objectsAt(object, "metadata", "ownerReferences").find((one) => one["controller"] === true);
  if (owner === undefined) return "<none>";
  const group = stringAt(owner, "apiVersion").split("/").slice(0, -1).join("/");
  return `${stringAt(owner, "kind").toLowerCase()}${group === "" ? "" : `.${group}`}/${stringAt(owner, "name")}`;
}

function requestState(csr: JsonObject): string {
  const has = (type: string) => condition(csr, type) !== undefined;
  const words = [has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending"];
  if (has("Failed")) words.push("Failed");
  if (stringAt(csr, "status", "certificate") !== "") words.push("Issued");
  return words.join(",");
}

function requestedDuration(csr: JsonObject): string {
  const seconds = numberAt(csr, "spec", "expirationSeconds");
  return seconds === undefined ? "<none>" : shortDuration(seconds);
}

function reference(of: JsonObject): string {
  const group = of["apiGroup"];
  return `${stringAt(of, "kind")}${typeof group === "string" ? `.${group}` : ""}/${stringAt(of, "name")}`;
}

function parameters(object: JsonObject): string {
  const given = objectAt(object, "spec")["parameters"];
  return isObject(given) ? reference(given) : "<none>";
}

function parentRef(object: JsonObject): string {
  const parent = objectAt(object, "spec")["parentRef"];
  if (!isObject(parent)) return "<none>";
  const group = stringAt(parent, "group");
  const resource = `${stringAt(parent, "resource")}${group === "" ? "" : `.${group}`}`;
  const namespace = stringAt(parent, "namespace");
  return [resource, ...(namespace === "" ? [] : [namespace]), stringAt(parent, "name")].join("/");
}

/** `name: used/hard` of what is asked for, or of what is limited. */
function quotaUse(limits: boolean): Cell {
  return (quota) => {
    const hard = objectAt(quota, "status", "hard");
    const used = objectAt(quota, "status", "used");
    return Object.keys(hard)
      .sort()
      .filter((name) => name.startsWith("limits.") === limits)
      .map((name) => `${name}: ${String(used[name] ?? "0")}/${String(hard[name])}`)
      .join(", ");
  };
}

const podSpec = (template: JsonObject) => objectsAt(template, "template", "spec", "containers");
const joined = (field: string) => (template: JsonObject) =>
  podSpec(template)
    .map((one) => stringAt(one, field))
    .join(",");

function claimState(claim: JsonObject): string {
  const states = [];
  if (stringAt(claim, "metadata", "deletionTimestamp") !== "") states.push("deleted");
  const allocated = isObject(objectAt(claim, "status")["allocation"]);
  if (!allocated) {
    if (states.length === 0) states.push("pending");
    return states.join(",");
  }
  states.push("allocated");
  if (objectsAt(claim, "status", "reservedFor").length > 0) states.push("reserved");
  return states.join(",");
}

function paramKind(policy: JsonObject): string {
  const kind = objectAt(policy, "spec")["paramKind"];
  return isObject(kind) ? `${stringAt(kind, "apiVersion")}/${stringAt(kind, "kind")}` : "<unset>";
}

function paramRef(binding: JsonObject): string {
  const ref = objectAt(binding, "spec")["paramRef"];
  if (!isObject(ref)) return "<unset>";
  const [namespace, name] = [stringAt(ref, "namespace"), stringAt(ref, "name")];
  if (name !== "") return `${namespace || "*"}/${name}`;
  return isObject(ref["selector"]) ? goSelector(ref["selector"]) : "<unset>";
}

/** A selector as Go prints the struct. */
function goSelector(selector: JsonObject): string {
  const labels = Object.entries(objectAt(selector, "matchLabels")).sort(([a], [b]) => (a < b ? -1 : 1));
  const expressions = objectsAt(selector, "matchExpressions").map((one) => {
    const values = arrayAt(one, "values").map(String).join(" ");
    return `LabelSelectorRequirement{Key:${stringAt(one, "key")},Operator:${stringAt(one, "operator")},Values:[${values}],},`;
  });
  const shown = labels.map(([key, value]) => `${key}: ${String(value)},`).join("");
  return `&LabelSelector{MatchLabels:map[string]string{${shown}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join("")}},}`;
}

function missingLevel(schema: JsonObject): string {
  const status = stringAt(condition(schema, "Dangling"), "status");
  return status === "" ? "?" : status;
}

const queuing =
  (field: string): Cell =>
  (level) => {
    const limit = objectAt(level, "spec", "limited", "limitResponse");
    if (!isObject(limit["queuing"])) return "<none>";
    return numberAt(limit, "queuing", field) ?? 0;
  };

const shares: Cell = (level) => numberAt(level, "spec", "limited", "nominalConcurrencyShares") ?? "<none>";

const tokenRequests = (driver: JsonObject) => {
  const requests = objectsAt(driver, "spec", "tokenRequests");
  return requests.length === 0 ? "<unset>" : requests.map((one) => stringAt(one, "audience")).join(",");
};

const listed =
  (other: string, ...path: string[]): Cell =>
  (object) =>
    arrayAt(object, ...path)
      .map(String)
      .join(",") || other;

/** By `group/plural`. */
export const clusterColumns: Readonly<Record<string, readonly Column[]>> = {
  "/componentstatuses": [
    nameColumn,
    textColumn("Status", text("status")),
    textColumn("Message", text("message")),
    textColumn("Error", text("error")),
  ],
  "/limitranges": [nameColumn, createdColumn],
  "/podtemplates": [
    nameColumn,
    textColumn("Containers", joined("name")),
    textColumn("Images", joined("image")),
    textColumn("Pod Labels", (template) => labelsText(objectAt(template, "template", "metadata", "labels"))),
  ],
  "/resourcequotas": [
    nameColumn,
    textColumn("Request", quotaUse(false)),
    textColumn("Limit", quotaUse(true)),
    ageColumn,
  ],
  "/serviceaccounts": [nameColumn, ageColumn],
  "apiregistration.k8s.io/apiservices": [
    nameColumn,
    textColumn("Service", apiServiceTarget),
    textColumn("Available", available),
    ageColumn,
  ],
  "apps/controllerrevisions": [
    nameColumn,
    textColumn("Controller", controllerOf),
    textColumn("Revision", (revision) => numberAt(revision, "revision") ?? 0),
    ageColumn,
  ],
  "certificates.k8s.io/certificatesigningrequests": [
    nameColumn,
    ageColumn,
    textColumn("SignerName", orElse("<none>", "spec", "signerName")),
    textColumn("Requestor", text("spec", "username")),
    textColumn("RequestedDuration", requestedDuration),
    textColumn("Condition", requestState),
  ],
  "networking.k8s.io/ingressclasses": [
    nameColumn,
    textColumn("Controller", text("spec", "controller")),
    textColumn("Parameters", parameters),
    ageColumn,
  ],
  "networking.k8s.io/ipaddresses": [nameColumn, textColumn("ParentRef", parentRef), { ...ageColumn, untold: true }],
  "networking.k8s.io/servicecidrs": [nameColumn, textColumn("CIDRs", listed("", "spec", "cidrs")), ageColumn],
  "storage.k8s.io/csidrivers": [
    nameColumn,
    { ...flag("AttachRequired"), cell: (driver) => objectAt(driver, "spec")["attachRequired"] !== false },
    flag("PodInfoOnMount", "spec", "podInfoOnMount"),
    flag("StorageCapacity", "spec", "storageCapacity"),
    textColumn("TokenRequests", tokenRequests),
    flag("RequiresRepublish", "spec", "requiresRepublish"),
    textColumn("Modes", listed("<none>", "spec", "volumeLifecycleModes")),
    ageColumn,
  ],
  "storage.k8s.io/csinodes": [
    nameColumn,
    numberColumn("Drivers", (node) => arrayAt(node, "spec", "drivers").length),
    ageColumn,
  ],
  "storage.k8s.io/csistoragecapacities": [nameColumn, createdColumn],
  "storage.k8s.io/volumeattachments": [
    nameColumn,
    { ...textColumn("Attacher", text("spec", "attacher")), format: "name" },
    textColumn("PV", text("spec", "source", "persistentVolumeName")),
    textColumn("Node", text("spec", "nodeName")),
    flag("Attached", "status", "attached"),
    ageColumn,
  ],
  "storage.k8s.io/volumeattributesclasses": [nameColumn, textColumn("DriverName", text("driverName")), ageColumn],
  "admissionregistration.k8s.io/validatingadmissionpolicies": [
    nameColumn,
    numberColumn("Validations", (policy) => arrayAt(policy, "spec", "validations").length),
    textColumn("ParamKind", paramKind),
    ageColumn,
  ],
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": [
    nameColumn,
    textColumn("PolicyName", text("spec", "policyName")),
    textColumn("ParamRef", paramRef),
    ageColumn,
  ],
  "scheduling.k8s.io/priorityclasses": [
    nameColumn,
    numberColumn("Value", (one) => numberAt(one, "value") ?? 0),
    flag("Global-Default", "globalDefault"),
    ageColumn,
    textColumn("PreemptionPolicy", text("preemptionPolicy")),
  ],
  "node.k8s.io/runtimeclasses": [nameColumn, textColumn("Handler", text("handler")), ageColumn],
  "resource.k8s.io/resourceclaims": [nameColumn, textColumn("State", claimState), ageColumn],
  "resource.k8s.io/resourceslices": [
    nameColumn,
    textColumn("Node", text("spec", "nodeName")),
    textColumn("Driver", text("spec", "driver")),
    textColumn("Pool", text("spec", "pool", "name")),
    ageColumn,
  ],
  "flowcontrol.apiserver.k8s.io/flowschemas": [
    nameColumn,
    textColumn("PriorityLevel", text("spec", "priorityLevelConfiguration", "name")),
    textColumn("MatchingPrecedence", (schema) => numberAt(schema, "spec", "matchingPrecedence") ?? 0),
    textColumn("DistinguisherMethod", shown("spec", "distinguisherMethod", "type")),
    ageColumn,
    textColumn("MissingPL", missingLevel),
  ],
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": [
    nameColumn,
    textColumn("Type", text("spec", "type")),
    textColumn("NominalConcurrencyShares", shares),
    textColumn("Queues", queuing("queues")),
    textColumn("HandSize", queuing("handSize")),
    textColumn("QueueLengthLimit", queuing("queueLengthLimit")),
    ageColumn,
  ],
};
