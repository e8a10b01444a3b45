import type { JsonObject } from "../contract.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { selectorText } from "../operations/scale.ts";
import { ageColumn, type Column, nameColumn, textColumn } from "./column.ts";
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
  const balanced = objectsAt(service, "status", "loadBalancer", "ingress").map(
    (one) => stringAt(one, "ip") || stringAt(one, "hostname"),
  );
  const all = type === "LoadBalancer" ? [...balanced, ...given] : given;
  if (all.length > 0) return all.join(",");
  return type === "LoadBalancer" ? "<pending>" : "<none>";
}

function servicePorts(service: JsonObject): string {
  const ports = objectsAt(service, "spec", "ports").map((port) => {
    const node = numberAt(port, "nodePort") ?? 0;
    return `${String(port["port"])}${node === 0 ? "" : `:${node}`}/${stringAt(port, "protocol")}`;
  });
  return ports.join(",") || "<none>";
}

/** `10.0.0.1:80,10.0.0.2:80 + 3 more...` */
function endpointsText(endpoints: JsonObject): string {
  const all = objectsAt(endpoints, "subsets").flatMap((subset) => {
    const hosts = objectsAt(subset, "addresses").map((one) => stringAt(one, "ip"));
    const ports = objectsAt(subset, "ports").map((one) => `:${String(one["port"])}`);
    return hosts.flatMap((host) => (ports.length === 0 ? [host] : ports.map((port) => host + port)));
  });
  return shortList(all, 3);
}

function shortList(all: readonly string[], most: number): string {
  if (all.length === 0) return "<none>";
  const rest = all.length - most;
  return all.slice(0, most).join(",") + (rest > 0 ? ` + ${rest} more...` : "");
}

function nodeStatus(node: JsonObject): string {
  const ready = objectsAt(node, "status", "conditions").find((one) => one["type"] === "Ready");
  const words = [ready === undefined ? "Unknown" : ready["status"] === "True" ? "Ready" : "NotReady"];
  if (objectAt(node, "spec")["unschedulable"] === true) words.push("SchedulingDisabled");
  return words.join(",");
}

const ROLE = "node-role.kubernetes.io/";

function nodeRoles(node: JsonObject): string {
  const keys = Object.keys(objectAt(node, "metadata", "labels")).filter((key) => key.startsWith(ROLE));
  return (
    keys
      .map((key) => key.slice(ROLE.length))
      .sort()
      .join(",") || "<none>"
  );
}

const address = (type: string) => (node: JsonObject) =>
  stringAt(
    objectsAt(node, "status", "addresses").find((one) => one["type"] === type),
    "address",
  ) || "<none>";

const nodeInfo = (field: string) => (node: JsonObject) => stringAt(node, "status", "nodeInfo", field) || "<unknown>";

function eventSource(event: JsonObject): string {
  const words = [
    stringAt(event, "source", "component") || stringAt(event, "reportingComponent"),
    stringAt(event, "source", "host"),
  ];
  return words.filter((word) => word !== "").join(", ");
}

const eventObject = (event: JsonObject) => {
  const object = objectAt(event, "involvedObject");
  const from = Object.keys(object).length > 0 ? object : objectAt(event, "regarding");
  return `${stringAt(from, "kind").toLowerCase()}/${stringAt(from, "name")}`;
};

const lastSeen = (event: JsonObject) =>
  age(
    stringAt(event, "series", "lastObservedTime") ||
      stringAt(event, "lastTimestamp") ||
      stringAt(event, "eventTime") ||
      stringAt(event, "firstTimestamp"),
  );

/** By `group/plural`. */
export const coreColumns: Readonly<Record<string, readonly Column[]>> = {
  "/services": [
    nameColumn,
    textColumn("Type", text("spec", "type")),
    textColumn("Cluster-IP", (service) => stringAt(service, "spec", "clusterIP") || "<none>"),
    textColumn("External-IP", externalIp),
    textColumn("Port(s)", servicePorts),
    ageColumn,
    textColumn("Selector", (service) => selectorText(objectAt(service, "spec", "selector")) || "<none>", 1),
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
    textColumn("Subobject", text("involvedObject", "fieldPath"), 1),
    textColumn("Source", eventSource, 1),
    textColumn("Message", (event) => (stringAt(event, "message") || stringAt(event, "note")).trim()),
    textColumn("First Seen", (event) => age(stringAt(event, "firstTimestamp") || stringAt(event, "eventTime")), 1),
    textColumn("Count", (event) => String(numberAt(event, "count") ?? numberAt(event, "series", "count") ?? 1), 1),
    { ...nameColumn, priority: 1 },
  ],
  "discovery.k8s.io/endpointslices": [
    nameColumn,
    textColumn("AddressType", text("addressType")),
    textColumn("Ports", (slice) =>
      shortList(
        objectsAt(slice, "ports").map((port) => String(port["port"] ?? "*")),
        3,
      ).replace("<none>", "<unset>"),
    ),
    textColumn("Endpoints", (slice) =>
      shortList(
        objectsAt(slice, "endpoints").flatMap((one) => arrayAt(one, "addresses").map(String)),
        3,
      ).replace("<none>", "<unset>"),
    ),
    ageColumn,
  ],
};
