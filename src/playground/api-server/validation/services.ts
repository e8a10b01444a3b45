// Services.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { checkCidr, checkEndpointIp, checkIp, isIp } from "./addresses.ts";
import { duplicate, forbidden, invalid, invalids, notSupported, oneOf, required } from "./field-errors.ts";
import { dnsLabel, dnsSubdomain, portNumber, qualifiedName } from "./formats.ts";
import { checkLabels } from "./label-selectors.ts";
import { checkPort } from "./pods/probes.ts";
import { checkClusterIps, checkClusterIpsUpdate, isHeadless } from "./service-addresses.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export function checkService(service: JsonObject, old?: JsonObject): FieldError[] {
  const spec = objectAt(service, "spec");
  const ports = objectsAt(spec, "ports");
  return [
    ...checkTopologyMode(objectAt(service, "metadata", "annotations")),
    ...checkType(spec, ports),
    ...checkPorts(ports),
    ...checkLabels("spec.selector", spec["selector"]),
    ...checkAffinity(spec),
    ...checkClusterIps(spec, objectAt(old, "spec")),
    ...checkExternalIps(spec, objectAt(old, "spec")),
    ...oneOf("spec.type", stringAt(spec, "type"), TYPES),
    ...checkNodePorts(spec, ports),
    ...checkSourceRanges(service, old),
    ...checkLoadBalancer(spec),
    ...checkTrafficPolicies(spec),
  ];
}

export function checkServiceUpdate(service: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(service, "spec"), objectAt(old, "spec")];
  const errors = checkClusterIpsUpdate(spec, before);
  const both = stringAt(spec, "type") === "LoadBalancer" && stringAt(before, "type") === "LoadBalancer";
  if (both && spec["loadBalancerClass"] !== before["loadBalancerClass"])
    errors.push(invalid("spec.loadBalancerClass", spec["loadBalancerClass"], "may not change once set"));
  if (stringAt(spec, "type") === "LoadBalancer") errors.push(...checkClass(spec));
  else if (spec["loadBalancerClass"] !== undefined) errors.push(noClass);
  const [port, former] = [spec["healthCheckNodePort"], before["healthCheckNodePort"]];
  if (needsHealthCheck(spec) && needsHealthCheck(before) && port !== former)
    errors.push(forbidden("spec.healthCheckNodePort", "field is immutable"));
  return [...errors, ...checkService(service, old)];
}

function checkType(spec: JsonObject, ports: readonly JsonObject[]): FieldError[] {
  const type = stringAt(spec, "type");
  const errors: FieldError[] = [];
  if (ports.length === 0 && !isHeadless(spec) && type !== "ExternalName") errors.push(required("spec.ports"));
  if ((type === "LoadBalancer" || type === "NodePort") && isHeadless(spec))
    errors.push(invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${type} services`));
  if (type !== "ExternalName") return errors;
  for (const field of ["clusterIPs", "ipFamilies"]) {
    if (arrayAt(spec, field).length > 0)
      errors.push(forbidden(`spec.${field}`, "may not be set for ExternalName services"));
  }
  if (spec["ipFamilyPolicy"] !== undefined)
    errors.push(forbidden("spec.ipFamilyPolicy", "may not be set for ExternalName services"));
  const name = stringAt(spec, "externalName").replace(/\.$/, "");
  if (name === "") return [...errors, required("spec.externalName")];
  return [...errors, ...invalids("spec.externalName", name, dnsSubdomain(name))];
}

function checkPorts(ports: readonly JsonObject[]): FieldError[] {
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `spec.ports[${index}]`;
    const [name, protocol] = [stringAt(port, "name"), port["appProtocol"]];
    const errors: FieldError[] = ports.length > 1 && name === "" ? [required(`${path}.name`)] : [];
    if (name !== "") {
      errors.push(...invalids(`${path}.name`, name, dnsLabel(name)));
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
    const number = numberAt(port, "port") ?? 0;
    return [
      ...errors,
      ...invalids(`${path}.port`, number, portNumber(number)),
      ...oneOf(`${path}.protocol`, stringAt(port, "protocol"), PROTOCOLS),
      ...checkPort(`${path}.targetPort`, port["targetPort"]),
      ...(typeof protocol === "string" ? invalids(`${path}.appProtocol`, protocol, qualifiedName(protocol)) : []),
    ];
  });
}

const LONGEST_AFFINITY = 86_400;

function checkAffinity(spec: JsonObject): FieldError[] {
  const affinity = stringAt(spec, "sessionAffinity");
  const field = "spec.sessionAffinityConfig";
  const errors = oneOf("spec.sessionAffinity", affinity, ["ClientIP", "None"]);
  const config = spec["sessionAffinityConfig"];
  if (affinity === "None" && isObject(config))
    errors.push(forbidden(field, "must not be set when session affinity is None"));
  if (affinity !== "ClientIP") return errors;
  const when = "when session affinity type is ClientIP";
  if (!isObject(config)) return [...errors, required(field, when)];
  if (!isObject(config["clientIP"])) return [...errors, required(`${field}.clientIP`, when)];
  const seconds = objectAt(config, "clientIP")["timeoutSeconds"];
  const at = `${field}.clientIP.timeoutSeconds`;
  if (typeof seconds !== "number") return [...errors, required(at, when)];
  if (seconds > 0 && seconds <= LONGEST_AFFINITY) return errors;
  return [...errors, invalid(at, seconds, `must be greater than 0 and less than ${LONGEST_AFFINITY}`)];
}

function checkExternalIps(spec: JsonObject, before: JsonObject): FieldError[] {
  const known = arrayAt(before, "externalIPs").map(String);
  return arrayAt(spec, "externalIPs").flatMap((ip, index) => {
    const field = `spec.externalIPs[${index}]`;
    const errors = checkIp(field, String(ip), known);
    return errors.length > 0 ? errors : checkEndpointIp(field, String(ip));
  });
}

function checkNodePorts(spec: JsonObject, ports: readonly JsonObject[]): FieldError[] {
  const errors: FieldError[] = [];
  const nodePort = (port: JsonObject) => numberAt(port, "nodePort") ?? 0;
  if (stringAt(spec, "type") === "ClusterIP") {
    for (const [index, port] of ports.entries()) {
      if (nodePort(port) !== 0)
        errors.push(forbidden(`spec.ports[${index}].nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
  }
  const seen = new Set<string>();
  const twice = (key: string) => seen.has(key) || !seen.add(key);
  for (const [index, port] of ports.entries()) {
    const number = nodePort(port);
    if (number !== 0 && twice(`node/${stringAt(port, "protocol")}/${number}`))
      errors.push(duplicate(`spec.ports[${index}].nodePort`, number));
  }
  for (const [index, port] of ports.entries()) {
    const [protocol, number] = [stringAt(port, "protocol"), numberAt(port, "port") ?? 0];
    if (twice(`${protocol}/${number}`)) errors.push(duplicate(`spec.ports[${index}]`, shownPort(protocol, number)));
  }
  return errors;
}

const shownPort = (protocol: string, port: number) => ({
  Name: "",
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
});

const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";

/** The annotation counts where the field says nothing; what it said before is not looked at again. */
function checkRangesAnnotation(service: JsonObject, old: JsonObject | undefined): FieldError[] {
  const value = objectAt(service, "metadata", "annotations")[SOURCE_RANGES];
  const field = `metadata.annotations[${SOURCE_RANGES}]`;
  if (typeof value !== "string") return [];
  const errors = stringAt(service, "spec", "type") === "LoadBalancer" ? [] : [forbidden(field, ONLY_BALANCERS)];
  if (value === objectAt(old, "metadata", "annotations")[SOURCE_RANGES] || value.trim() === "") return errors;
  return [...errors, ...value.split(",").flatMap((range) => checkCidr(field, range.trim()))];
}

const HINTS = "service.kubernetes.io/topology-aware-hints";
const MODE = "service.kubernetes.io/topology-mode";

function checkTopologyMode(annotations: JsonObject): FieldError[] {
  const [hints, mode] = [annotations[HINTS], annotations[MODE]];
  if (hints === undefined || mode === undefined || hints === mode) return [];
  return [invalid(`metadata.annotations[${MODE}]`, mode, `must match annotations[${HINTS}] when both are specified`)];
}

const ONLY_BALANCERS = "may only be used when `type` is 'LoadBalancer'";

function checkSourceRanges(service: JsonObject, old: JsonObject | undefined): FieldError[] {
  const [spec, before] = [objectAt(service, "spec"), objectAt(old, "spec")];
  const ranges = arrayAt(spec, "loadBalancerSourceRanges").map((range) => String(range).trim());
  const field = "spec.LoadBalancerSourceRanges";
  if (ranges.length === 0) return checkRangesAnnotation(service, old);
  const known = arrayAt(before, "loadBalancerSourceRanges").map((range) => String(range).trim());
  const errors = stringAt(spec, "type") === "LoadBalancer" ? [] : [forbidden(field, ONLY_BALANCERS)];
  return [...errors, ...ranges.flatMap((range, index) => checkCidr(`${field}[${index}]`, range, known))];
}

const noClass = forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'");

function checkClass(spec: JsonObject): FieldError[] {
  const name = spec["loadBalancerClass"];
  return typeof name === "string" ? invalids("spec.loadBalancerClass", name, qualifiedName(name)) : [];
}

function checkLoadBalancer(spec: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  const allocate = spec["allocateLoadBalancerNodePorts"];
  if (stringAt(spec, "type") === "LoadBalancer") {
    if (allocate === undefined) errors.push(required("allocateLoadBalancerNodePorts"));
    return [...errors, ...checkClass(spec)];
  }
  if (allocate !== undefined)
    errors.push(forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"));
  return spec["loadBalancerClass"] === undefined ? errors : [...errors, noClass];
}

export function isExternal(spec: JsonObject): boolean {
  const type = stringAt(spec, "type");
  if (type === "LoadBalancer" || type === "NodePort") return true;
  return type === "ClusterIP" && arrayAt(spec, "externalIPs").length > 0;
}

export const needsHealthCheck = (spec: JsonObject) =>
  stringAt(spec, "type") === "LoadBalancer" && stringAt(spec, "externalTrafficPolicy") === "Local";

const POLICIES = ["Cluster", "Local"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameZone", "PreferSameNode"];

function checkTrafficPolicies(spec: JsonObject): FieldError[] {
  const [type, external] = [stringAt(spec, "type"), stringAt(spec, "externalTrafficPolicy")];
  const [internal, distribution] = [spec["internalTrafficPolicy"], spec["trafficDistribution"]];
  const errors: FieldError[] = [];
  const field = "spec.externalTrafficPolicy";
  if (isExternal(spec)) errors.push(...oneOf(field, external, POLICIES));
  else if (external !== "") errors.push(invalid(field, external, "may only be set for externally-accessible services"));
  errors.push(...checkHealthCheck(spec));
  if (internal === undefined && TYPES.includes(type) && type !== "ExternalName")
    errors.push(required("spec.internalTrafficPolicy"));
  if (internal !== undefined && !POLICIES.includes(String(internal)))
    errors.push(notSupported("spec.internalTrafficPolicy", internal, POLICIES));
  if (distribution !== undefined && !DISTRIBUTIONS.includes(String(distribution)))
    errors.push(notSupported("spec.trafficDistribution", distribution, DISTRIBUTIONS));
  return errors;
}

function checkHealthCheck(spec: JsonObject): FieldError[] {
  const port = numberAt(spec, "healthCheckNodePort") ?? 0;
  const field = "spec.healthCheckNodePort";
  if (needsHealthCheck(spec)) return port === 0 ? [required(field)] : invalids(field, port, portNumber(port));
  const why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
  return port === 0 ? [] : [invalid(field, port, why)];
}

/** Of Services (only LoadBalancers may have some) and of Ingresses. */
export function checkIngressPoints(
  path: string,
  points: readonly JsonObject[],
  known: readonly string[],
): FieldError[] {
  return points.flatMap((point, index) => {
    const at = `${path}[${index}]`;
    const [ip, host] = [stringAt(point, "ip"), stringAt(point, "hostname")];
    const errors = ip === "" ? [] : checkIp(`${at}.ip`, ip, known);
    if (host === "") return errors;
    errors.push(...invalids(`${at}.hostname`, host, dnsSubdomain(host)));
    if (isIp(host)) errors.push(invalid(`${at}.hostname`, host, "must be a DNS name, not an IP address"));
    return errors;
  });
}

const IP_MODES = ["Proxy", "VIP"];

export function checkServiceStatus(service: JsonObject, old: JsonObject): FieldError[] {
  const path = "status.loadBalancer.ingress";
  const points = objectsAt(service, "status", "loadBalancer", "ingress");
  if (stringAt(service, "spec", "type") !== "LoadBalancer" && points.length > 0)
    return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
  const known = objectsAt(old, "status", "loadBalancer", "ingress").map((point) => stringAt(point, "ip"));
  const modes = points.flatMap((point, index): FieldError[] => {
    const [mode, hasIp, field] = [point["ipMode"], stringAt(point, "ip") !== "", `${path}[${index}].ipMode`];
    if (mode === undefined) return hasIp ? [required(field, "must be specified when `ip` is set")] : [];
    if (!hasIp) return [forbidden(field, "may not be specified when `ip` is not set")];
    return IP_MODES.includes(String(mode)) ? [] : [notSupported(field, mode, IP_MODES)];
  });
  return [...checkIngressPoints(path, points, known), ...modes];
}
