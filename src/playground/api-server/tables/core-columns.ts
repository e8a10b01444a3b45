import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { balancedAddresses } from "./balanced-addresses.ts";
import { ageColumn, type Column, labelsText, nameColumn, textColumn } from "./column.ts";
import { age } from "./durations.ts";

const size =
  (...path: string[]) =>
  (object: JsonObject) =>
    Object.keys(objectAt(object, ...path)).length;
const text =
  (...path: string[]) =>
  (object: JsonObject) =>
    stringAt(object, ...path);

function externalIp(service: JsonObject): string {
  const spec = objectAt(service, "spec");
  const given = arrayAt(spec, "externalIPs").map(String);
  const type = stringAt(spec, "type");
  if (type === "ExternalName") return stringAt(spec, "externalName");
  if (type === "LoadBalancer") return [...balancedAddresses(service), ...given].join(",") || "<pending>";
  return type === "" ? "<unknown>" : given.join(",") || "<none>";
}

function servicePorts(service: JsonObject): string {
  const ports = objectsAt(service, "spec", "ports").map((port) => {
    const node = numberAt(port, "nodePort") ?? 0;
    return `${String(port["port"])}${node === 0 ? "" : `:${node}`}/${stringAt(port, "protocol")}`;
  });
  return ports.join(",") || "<none>";
}

/** `10.0.0.1:80,10.0.0.2:80 + 3 more...`, port by port. */
function endpointsText(endpoints: JsonObject): string {
  const subsets = objectsAt(endpoints, "subsets");
  const all = subsets.flatMap((subset) => {
    const hosts = objectsAt(subset, "addresses").map((one) => stringAt(one, "ip"));
    const ports = objectsAt(subset, "ports").map((one) => String(one["port"]));
    return ports.length === 0 ? hosts : ports.flatMap((port) => hosts.map((host) => `${bracketed(host)}:${port}`));
  });
  return subsets.length === 0 ? "<none>" : shortList(all, "");
}

const bracketed = (host: string) => (host.includes(":") ? `[${host}]` : host);

const MOST = 3;

function shortList(all: readonly string[], none: string): string {
  const rest = all.length - MOST;
  const shown = all.slice(0, MOST).join(",");
  return rest > 0 ? `${shown} + ${rest} more...` : shown || none;
}

function nodeStatus(node: JsonObject): string {
  const ready = objectsAt(node, "status", "conditions").findLast((one) => one["type"] === "Ready");
  const words = [ready === undefined ? "Unknown" : ready["status"] === "True" ? "Ready" : "NotReady"];
  if (objectAt(node, "spec")["unschedulable"] === true) words.push("SchedulingDisabled");
  return words.join(",");
}

const ROLE = "node-role.kubernetes.io/";

function nodeRoles(node: JsonObject): string {
  const roles = Object.entries(objectAt(node, "metadata", "labels")).map(([key, value]) => {
    if (key === "kubernetes.io/role") return String(value);
    return key.startsWith(ROLE) ? key.slice(ROLE.length) : "";
  });
  return [...new Set(roles.filter((role) => role !== ""))].sort().join(",") || "<none>";
}

const address = (type: string) => (node: JsonObject) =>
  stringAt(
    objectsAt(node, "status", "addresses").find((one) => one["type"] === type),
    "address",
  ) || "<none>";

const nodeInfo = (field: string) => (node: JsonObject) => stringAt(node, "status", "nodeInfo", field) || "<unknown>";

/** Rows are of the form in which events are kept, whichever was asked for. */
const either = (event: JsonObject, kept: string, shown: string) => event[kept] ?? event[shown];

function eventSource(event: JsonObject): string {
  const source = either(event, "source", "deprecatedSource");
  const component =
    stringAt(source, "component") || String(either(event, "reportingComponent", "reportingController") ?? "");
  const instance = stringAt(source, "host") || stringAt(event, "reportingInstance");
  return instance === "" ? component : `${component}, ${instance}`;
}

function eventObject(event: JsonObject): string {
  const object = either(event, "involvedObject", "regarding");
  const [kind, name] = [stringAt(object, "kind").toLowerCase(), stringAt(object, "name")];
  return name === "" ? kind : `${kind}/${name}`;
}

const timeOf = (value: JsonValue | undefined) => (typeof value === "string" ? value : "");

const firstSeen = (event: JsonObject) =>
  age(timeOf(either(event, "firstTimestamp", "deprecatedFirstTimestamp")) || stringAt(event, "eventTime"));

function lastSeen(event: JsonObject): string {
  if (isObject(event["series"])) return age(stringAt(event, "series", "lastObservedTime"));
  const last = timeOf(either(event, "lastTimestamp", "deprecatedLastTimestamp"));
  return last === "" ? firstSeen(event) : age(last);
}

function eventCount(event: JsonObject): number {
  if (isObject(event["series"])) return numberAt(event, "series", "count") ?? 0;
  return Number(either(event, "count", "deprecatedCount") ?? 0) || 1;
}

/** By `group/plural`. */
export const coreColumns: Readonly<Record<string, readonly Column[]>> = {
  "/services": [
    nameColumn,
    textColumn("Type", text("spec", "type")),
    textColumn("Cluster-IP", (service) => String(arrayAt(service, "spec", "clusterIPs")[0] ?? "<none>")),
    textColumn("External-IP", externalIp),
    textColumn("Port(s)", servicePorts),
    ageColumn,
    textColumn("Selector", (service) => labelsText(objectAt(service, "spec", "selector")), 1),
  ],
  "/nodes": [
    nameColumn,
    textColumn("Status", nodeStatus),
    textColumn("Roles", nodeRoles),
    ageColumn,
    textColumn("Version", text("status", "nodeInfo", "kubeletVersion")),
    textColumn("Internal-IP", address("InternalIP"), 1),
    textColumn("External-IP", address("ExternalIP"), 1),
    textColumn("OS-Image", nodeInfo("osImage"), 1),
    textColumn("Kernel-Version", nodeInfo("kernelVersion"), 1),
    textColumn("Container-Runtime", nodeInfo("containerRuntimeVersion"), 1),
  ],
  "/namespaces": [nameColumn, textColumn("Status", text("status", "phase")), ageColumn],
  "/secrets": [nameColumn, textColumn("Type", text("type")), textColumn("Data", size("data")), ageColumn],
  "/configmaps": [nameColumn, textColumn("Data", (map) => size("data")(map) + size("binaryData")(map)), ageColumn],
  "/endpoints": [nameColumn, textColumn("Endpoints", endpointsText), ageColumn],
  "/events": [
    textColumn("Last Seen", lastSeen),
    textColumn("Type", text("type")),
    textColumn("Reason", text("reason")),
    textColumn("Object", eventObject),
    textColumn("Subobject", (event) => stringAt(either(event, "involvedObject", "regarding"), "fieldPath"), 1),
    textColumn("Source", eventSource, 1),
    textColumn("Message", (event) => String(either(event, "message", "note") ?? "").trim()),
    textColumn("First Seen", firstSeen, 1),
    textColumn("Count", eventCount, 1),
    { ...nameColumn, priority: 1 },
  ],
  "discovery.k8s.io/endpointslices": [
    nameColumn,
    textColumn("AddressType", text("addressType")),
    textColumn("Ports", (slice) =>
      shortList(
        objectsAt(slice, "ports").map((port) => String(port["port"] ?? port["name"] ?? "*")),
        "<unset>",
      ),
    ),
    textColumn("Endpoints", (slice) =>
      shortList(
        objectsAt(slice, "endpoints").flatMap((one) => arrayAt(one, "addresses").map(String)),
        "<unset>",
      ),
    ),
    ageColumn,
  ],
};
