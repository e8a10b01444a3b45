// Ingresses, IngressClasses, NetworkPolicies, IPAddresses and ServiceCIDRs.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, deepEqual, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { checkCidr, checkNetwork, isCidr, isIp, isStrictSubset } from "./addresses.ts";
import { forbidden, IMMUTABLE, invalid, invalids, notSupported, required, tooLong } from "./field-errors.ts";
import {
  bytes,
  dns1035Label,
  dnsLabel,
  dnsSubdomain,
  pathSegment,
  patternMessage,
  portName,
  portNumber,
  wildcardSubdomain,
} from "./formats.ts";
import { checkLabelSelector } from "./label-selectors.ts";

const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const httpPath = new RegExp(`^${HTTP_PATH}$`);

/** Such as acme.io/foo. */
export function checkDomainPath(field: string, value: string): FieldError[] {
  if (value === "") return [required(field)];
  const slash = value.indexOf("/");
  const [host, path] = [value.slice(0, Math.max(slash, 0)), value.slice(slash + 1)];
  if (slash < 0 || host === "" || path === "")
    return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  const errors = invalids(field, host, dnsSubdomain(host));
  return httpPath.test(path) ? errors : [...errors, invalid(field, path, patternMessage("Invalid path", HTTP_PATH))];
}

export function checkIngress(ingress: JsonObject): FieldError[] {
  const spec = objectAt(ingress, "spec");
  const [backend, rules, className] = [spec["defaultBackend"], objectsAt(spec, "rules"), spec["ingressClassName"]];
  const errors: FieldError[] = [];
  if (rules.length === 0 && !isObject(backend))
    errors.push(invalid("spec", spec["rules"] ?? null, "either `defaultBackend` or `rules` must be specified"));
  if (isObject(backend)) errors.push(...checkBackend("spec.defaultBackend", backend));
  errors.push(...rules.flatMap((rule, index) => checkRule(`spec.rules[${index}]`, rule)));
  errors.push(...objectsAt(spec, "tls").flatMap((tls, index) => checkTls(`spec.tls[${index}]`, tls)));
  if (typeof className === "string")
    errors.push(...invalids("spec.ingressClassName", className, dnsSubdomain(className)));
  return errors;
}

const CLASS_ANNOTATION = "kubernetes.io/ingress.class";

export function checkIngressCreate(ingress: JsonObject): FieldError[] {
  const annotation = objectAt(ingress, "metadata", "annotations")[CLASS_ANNOTATION];
  const className = objectAt(ingress, "spec")["ingressClassName"];
  const errors = checkIngress(ingress);
  if (annotation === undefined || className === undefined || annotation === className) return errors;
  const why = "must match `ingressClassName` when both are specified";
  return [...errors, invalid(`annotations.${CLASS_ANNOTATION}`, annotation, why)];
}

function checkHost(field: string, host: string): FieldError[] {
  return invalids(field, host, host.includes("*") ? wildcardSubdomain(host) : dnsSubdomain(host));
}

function checkTls(path: string, tls: JsonObject): FieldError[] {
  const secret = stringAt(tls, "secretName");
  return [
    ...arrayAt(tls, "hosts").flatMap((host, index) => checkHost(`${path}.hosts[${index}]`, String(host))),
    ...(secret === "" ? [] : invalids(`${path}.secretName`, secret, dnsSubdomain(secret))),
  ];
}

function checkRule(path: string, rule: JsonObject): FieldError[] {
  const [host, http] = [stringAt(rule, "host"), rule["http"]];
  const errors: FieldError[] = [];
  if (isIp(host)) errors.push(invalid(`${path}.host`, host, "must be a DNS name, not an IP address"));
  if (host !== "") errors.push(...checkHost(`${path}.host`, host));
  if (!isObject(http)) return errors;
  const paths = objectsAt(http, "paths");
  if (paths.length === 0) errors.push(required(`${path}.http.paths`));
  return [...errors, ...paths.flatMap((one, index) => checkPath(`${path}.http.paths[${index}]`, one))];
}

const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];
const BAD_PARTS = ["//", "/./", "/../", "%2f", "%2F"];
const BAD_ENDS = ["/..", "/."];

function checkPath(path: string, rule: JsonObject): FieldError[] {
  const [type, text] = [rule["pathType"], stringAt(rule, "path")];
  const field = `${path}.path`;
  if (typeof type !== "string") return [required(`${path}.pathType`, "pathType must be specified")];
  const errors: FieldError[] = [];
  const absolute = text.startsWith("/") || (type === "ImplementationSpecific" && text === "");
  if (!PATH_TYPES.includes(String(type))) errors.push(notSupported(`${path}.pathType`, type, PATH_TYPES));
  else if (!absolute) errors.push(invalid(field, text, "must be an absolute path"));
  if (type === "Exact" || type === "Prefix") {
    for (const part of BAD_PARTS)
      if (text.includes(part)) errors.push(invalid(field, text, `must not contain '${part}'`));
    for (const end of BAD_ENDS) if (text.endsWith(end)) errors.push(invalid(field, text, `cannot end with '${end}'`));
  }
  return [...errors, ...checkBackend(`${path}.backend`, objectAt(rule, "backend"))];
}

function checkBackend(path: string, backend: JsonObject): FieldError[] {
  const [service, resource] = [backend["service"], backend["resource"]];
  if (isObject(service) && isObject(resource))
    return [invalid(path, "", "cannot set both resource and service backends")];
  if (isObject(resource)) return checkReference(`${path}.resource`, resource);
  if (!isObject(service)) return [invalid(path, "", "resource or service backend is required")];
  const name = stringAt(service, "name");
  const [portText, number] = [stringAt(service, "port", "name"), numberAt(service, "port", "number") ?? 0];
  const errors =
    name === "" ? [required(`${path}.service.name`)] : invalids(`${path}.service.name`, name, dns1035Label(name));
  if (portText !== "" && number !== 0) return [...errors, invalid(path, "", "cannot set both port name & port number")];
  if (portText !== "") return [...errors, ...invalids(`${path}.service.port.name`, portText, portName(portText))];
  if (number !== 0) return [...errors, ...invalids(`${path}.service.port.number`, number, portNumber(number))];
  return [...errors, required(path, "port name or number is required")];
}

/** Another object by group, kind and name. */
export function checkReference(path: string, reference: JsonObject): FieldError[] {
  const group = reference["apiGroup"];
  return [
    ...(typeof group === "string" ? invalids(`${path}.apiGroup`, group, dnsSubdomain(group)) : []),
    ...["kind", "name"].flatMap((field) => checkSegment(`${path}.${field}`, stringAt(reference, field))),
  ];
}

export const checkSegment = (field: string, value: string) =>
  value === "" ? [required(field)] : invalids(field, value, pathSegment(value));

export function checkIngressClass(ingressClass: JsonObject): FieldError[] {
  const [controller, parameters] = [
    stringAt(ingressClass, "spec", "controller"),
    objectAt(ingressClass, "spec")["parameters"],
  ];
  const errors = bytes(controller) > 250 ? [tooLong("spec.controller", 250)] : [];
  errors.push(...checkDomainPath("spec.controller", controller));
  return isObject(parameters) ? [...errors, ...checkParameters("spec.parameters", parameters)] : errors;
}

function checkParameters(path: string, parameters: JsonObject): FieldError[] {
  const [scope, namespace] = [parameters["scope"], parameters["namespace"]];
  const errors = checkReference(path, parameters);
  if (scope === undefined) return [...errors, required(`${path}.scope`)];
  const field = `${path}.namespace`;
  if (scope === "Namespace") {
    if (typeof namespace !== "string") return [...errors, required(field, "`parameters.scope` is set to 'Namespace'")];
    return [...errors, ...invalids(field, namespace, dnsLabel(namespace))];
  }
  if (scope !== "Cluster") return [...errors, notSupported(`${path}.scope`, scope, ["Cluster", "Namespace"])];
  return namespace === undefined ? errors : [...errors, forbidden(field, "`parameters.scope` is set to 'Cluster'")];
}

export function checkIngressClassUpdate(ingressClass: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [stringAt(ingressClass, "spec", "controller"), stringAt(old, "spec", "controller")];
  return next === before ? [] : [invalid("spec.controller", next, IMMUTABLE)];
}

const POLICY_TYPES = ["Ingress", "Egress"];

export function checkNetworkPolicy(policy: JsonObject): FieldError[] {
  const spec = objectAt(policy, "spec");
  const types = arrayAt(spec, "policyTypes");
  const rules = [
    { list: "ingress", peers: "from" },
    { list: "egress", peers: "to" },
  ];
  const errors = [
    ...checkLabelSelector("spec.podSelector", spec["podSelector"]),
    ...rules.flatMap(({ list, peers }) =>
      objectsAt(spec, list).flatMap((rule, index) => checkPolicyRule(`spec.${list}[${index}]`, rule, peers)),
    ),
  ];
  if (types.length > 2)
    return [...errors, invalid("spec.policyTypes", types, "may not specify more than two policyTypes")];
  return [
    ...errors,
    ...types.flatMap((type, index) =>
      POLICY_TYPES.includes(String(type)) ? [] : [notSupported(`spec.policyTypes[${index}]`, type, POLICY_TYPES)],
    ),
  ];
}

function checkPolicyRule(path: string, rule: JsonObject, peers: string): FieldError[] {
  return [
    ...objectsAt(rule, "ports").flatMap((port, index) => checkPolicyPort(`${path}.ports[${index}]`, port)),
    ...objectsAt(rule, peers).flatMap((peer, index) => checkPeer(`${path}.${peers}[${index}]`, peer)),
  ];
}

const PROTOCOLS = ["TCP", "UDP", "SCTP"];

function checkPolicyPort(path: string, rule: JsonObject): FieldError[] {
  const [protocol, port, end] = [rule["protocol"], rule["port"], rule["endPort"]];
  const errors: FieldError[] =
    protocol === undefined || PROTOCOLS.includes(String(protocol))
      ? []
      : [notSupported(`${path}.protocol`, protocol, PROTOCOLS)];
  const last = `${path}.endPort`;
  if (port === undefined) {
    return end === undefined
      ? errors
      : [...errors, invalid(last, end, "may not be specified when `port` is not specified")];
  }
  if (typeof port === "string") {
    if (end !== undefined) errors.push(invalid(last, end, "may not be specified when `port` is non-numeric"));
    return [...errors, ...invalids(`${path}.port`, port, portName(port))];
  }
  errors.push(...invalids(`${path}.port`, port, portNumber(Number(port))));
  if (typeof end !== "number") return errors;
  if (end < Number(port)) errors.push(invalid(last, port, "must be greater than or equal to `port`"));
  return [...errors, ...invalids(last, end, portNumber(end))];
}

function checkPeer(path: string, peer: JsonObject): FieldError[] {
  const [pods, namespaces, block] = [peer["podSelector"], peer["namespaceSelector"], peer["ipBlock"]];
  const given = [pods, namespaces, block].filter(isObject).length;
  const errors = [
    ...checkLabelSelector(`${path}.podSelector`, pods),
    ...checkLabelSelector(`${path}.namespaceSelector`, namespaces),
    ...(isObject(block) ? checkBlock(`${path}.ipBlock`, block) : []),
  ];
  if (given === 0) errors.push(required(path, "must specify a peer"));
  else if (given > 1 && isObject(block)) errors.push(forbidden(path, "may not specify both ipBlock and another peer"));
  return errors;
}

function checkBlock(path: string, block: JsonObject): FieldError[] {
  const cidr = stringAt(block, "cidr");
  if (cidr === "") return [required(`${path}.cidr`)];
  const errors = checkCidr(`${path}.cidr`, cidr);
  if (errors.length > 0) return errors;
  return arrayAt(block, "except").flatMap((value: JsonValue, index) => {
    const [field, except] = [`${path}.except[${index}]`, String(value)];
    if (!isCidr(except)) return checkCidr(field, except);
    return isStrictSubset(except, cidr) ? [] : [invalid(field, except, "must be a strict subset of `cidr`")];
  });
}

export function checkIpAddress(address: JsonObject): FieldError[] {
  const parent = objectAt(address, "spec")["parentRef"];
  const path = "spec.parentRef";
  if (!isObject(parent)) return [required(path)];
  const [group, namespace] = [stringAt(parent, "group"), stringAt(parent, "namespace")];
  return [
    ...(group === "" ? [] : invalids(`${path}.group`, group, dnsSubdomain(group))),
    ...["resource", "name"].flatMap((field) => checkSegment(`${path}.${field}`, stringAt(parent, field))),
    ...(namespace === "" ? [] : checkSegment(`${path}.namespace`, namespace)),
  ];
}

export function checkIpAddressUpdate(address: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [address, old].map((object) => objectAt(object, "spec")["parentRef"] ?? null);
  if (deepEqual(next, before)) return [];
  const shown = isObject(next)
    ? {
        Group: stringAt(next, "group"),
        Resource: stringAt(next, "resource"),
        Namespace: stringAt(next, "namespace"),
        Name: stringAt(next, "name"),
      }
    : null;
  return [invalid("spec.parentRef", shown, IMMUTABLE)];
}

export function checkServiceCidr(range: JsonObject): FieldError[] {
  const cidrs = cidrsOf(range);
  if (cidrs.length === 0) return [required("spec.cidrs", "at least one CIDR required")];
  if (cidrs.length > 2) return [invalid("spec.cidrs", { CIDRs: cidrs }, "may only hold up to 2 values")];
  const errors = cidrs.flatMap((cidr, index) => checkNetwork(`spec.cidrs[${index}]`, cidr));
  const [first = "", second] = cidrs;
  if (errors.length > 0 || second === undefined || first.includes(":") !== second.includes(":")) return errors;
  const detail = "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64";
  return [invalid("spec.cidrs", cidrs, detail)];
}

const cidrsOf = (range: JsonObject) => arrayAt(range, "spec", "cidrs").map(String);

/** A range may get one of the other family, and changes in nothing else. */
export function checkServiceCidrUpdate(range: JsonObject, old: JsonObject): FieldError[] {
  const [cidrs, before] = [cidrsOf(range), cidrsOf(old)];
  const changed = before.flatMap((cidr, index) =>
    index < cidrs.length && cidrs[index] !== cidr ? [invalid(`spec.cidrs[${index}]`, cidrs[index], IMMUTABLE)] : [],
  );
  if (cidrs.length === before.length) return changed;
  if (before.length === 1 && cidrs.length === 2) return [...changed, ...checkServiceCidr(range)];
  return [invalid("spec.cidrs", objectAt(range, "spec")["cidrs"] ?? null, IMMUTABLE)];
}
