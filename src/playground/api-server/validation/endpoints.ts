// Endpoints and EndpointSlices.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { checkEndpointIp, checkIp, isIpv4, isIpv6 } from "./addresses.ts";
import { duplicate, IMMUTABLE, invalid, invalids, notSupported, oneOf, required, tooMany } from "./field-errors.ts";
import { dnsLabel, dnsSubdomain, labelValue, portNumber, qualifiedName } from "./formats.ts";
import { checkLabels } from "./label-selectors.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export function checkEndpoints(endpoints: JsonObject, old?: JsonObject): FieldError[] {
  if (old !== undefined && deepEqual(endpoints["subsets"], old["subsets"])) return [];
  return objectsAt(endpoints, "subsets").flatMap((subset, index) => checkSubset(`subsets[${index}]`, subset));
}

function checkSubset(path: string, subset: JsonObject): FieldError[] {
  const [ready, notReady] = [objectsAt(subset, "addresses"), objectsAt(subset, "notReadyAddresses")];
  const ports = objectsAt(subset, "ports");
  return [
    ...(ready.length + notReady.length === 0
      ? [required(path, "must specify `addresses` or `notReadyAddresses`")]
      : []),
    ...ready.flatMap((address, index) => checkAddress(`${path}.addresses[${index}]`, address)),
    ...notReady.flatMap((address, index) => checkAddress(`${path}.notReadyAddresses[${index}]`, address)),
    ...ports.flatMap((port, index) => checkPort(`${path}.ports[${index}]`, port, ports.length > 1)),
  ];
}

function checkAddress(path: string, address: JsonObject): FieldError[] {
  const [ip, host, node] = [stringAt(address, "ip"), stringAt(address, "hostname"), address["nodeName"]];
  return [
    ...checkIp(`${path}.ip`, ip),
    ...(host === "" ? [] : invalids(`${path}.hostname`, host, dnsLabel(host))),
    ...(typeof node === "string" ? invalids(`${path}.nodeName`, node, dnsSubdomain(node)) : []),
    ...checkEndpointIp(`${path}.ip`, ip),
  ];
}

function checkPort(path: string, port: JsonObject, needsName: boolean): FieldError[] {
  const [name, number, protocol] = [stringAt(port, "name"), numberAt(port, "port") ?? 0, port["appProtocol"]];
  const errors: FieldError[] = needsName && name === "" ? [required(`${path}.name`)] : [];
  return [
    ...errors,
    ...(name === "" ? [] : invalids(`${path}.name`, name, dnsLabel(name))),
    ...invalids(`${path}.port`, number, portNumber(number)),
    ...oneOf(`${path}.protocol`, stringAt(port, "protocol"), PROTOCOLS),
    ...(typeof protocol === "string" ? invalids(`${path}.appProtocol`, protocol, qualifiedName(protocol)) : []),
  ];
}

const TYPES = ["FQDN", "IPv4", "IPv6"];
const MOST = { endpoints: 1000, ports: 20_000, addresses: 100, hints: 8, topology: 16 };

export function checkEndpointSlice(slice: JsonObject, old?: JsonObject): FieldError[] {
  const [type, endpoints] = [stringAt(slice, "addressType"), objectsAt(slice, "endpoints")];
  const errors = [...oneOf("addressType", type, TYPES), ...checkSlicePorts(objectsAt(slice, "ports"))];
  if (endpoints.length > MOST.endpoints) errors.push(tooMany("endpoints", endpoints.length, MOST.endpoints));
  else if (old === undefined || !deepEqual(slice["endpoints"], old["endpoints"]))
    errors.push(...endpoints.flatMap((endpoint, index) => checkEndpoint(`endpoints[${index}]`, endpoint, type)));
  if (old !== undefined && stringAt(old, "addressType") !== type) errors.push(invalid("addressType", type, IMMUTABLE));
  return errors;
}

function checkSlicePorts(ports: readonly JsonObject[]): FieldError[] {
  if (ports.length > MOST.ports) return [tooMany("ports", ports.length, MOST.ports)];
  const names = new Set<string>();
  return ports.flatMap((port, index) => {
    const path = `ports[${index}]`;
    const [name, protocol, app] = [stringAt(port, "name"), port["protocol"], port["appProtocol"]];
    const errors = name === "" ? [] : invalids(`${path}.name`, name, dnsLabel(name));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    if (protocol === undefined) errors.push(required(`${path}.protocol`));
    else if (!PROTOCOLS.includes(String(protocol))) errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
    return typeof app === "string" ? [...errors, ...invalids(`${path}.appProtocol`, app, qualifiedName(app))] : errors;
  });
}

function checkEndpoint(path: string, endpoint: JsonObject, type: string): FieldError[] {
  const addresses = arrayAt(endpoint, "addresses").map(String);
  const field = `${path}.addresses`;
  const [node, host, hints] = [endpoint["nodeName"], endpoint["hostname"], endpoint["hints"]];
  const topology = objectAt(endpoint, "deprecatedTopology");
  const errors: FieldError[] = addresses.length === 0 ? [required(field, "must contain at least 1 address")] : [];
  if (addresses.length > MOST.addresses) errors.push(tooMany(field, addresses.length, MOST.addresses));
  errors.push(...addresses.flatMap((address, index) => checkSliceAddress(field, { address, index, type })));
  if (typeof node === "string") errors.push(...invalids(`${path}.nodeName`, node, dnsSubdomain(node)));
  if (Object.keys(topology).length > MOST.topology)
    errors.push(tooMany(`${path}.deprecatedTopology`, Object.keys(topology).length, MOST.topology));
  errors.push(...checkLabels(`${path}.deprecatedTopology`, topology));
  if (typeof host === "string") errors.push(...invalids(`${path}.hostname`, host, dnsLabel(host)));
  return isObject(hints) ? [...errors, ...checkHints(`${path}.hints`, hints)] : errors;
}

interface SliceAddress {
  readonly address: string;
  readonly index: number;
  readonly type: string;
}

function checkSliceAddress(path: string, { address, index, type }: SliceAddress): FieldError[] {
  const field = `${path}[${index}]`;
  if (type === "FQDN") return checkDomainName(field, address);
  if (type !== "IPv4" && type !== "IPv6") return [];
  const errors = checkIp(field, address);
  if (errors.length > 0) return errors;
  const fits = type === "IPv4" ? isIpv4(address) : isIpv6(address);
  const family = type === "IPv4" ? "must be an IPv4 address" : "must be an IPv6 address";
  return [...(fits ? [] : [invalid(path, address, family)]), ...checkEndpointIp(field, address)];
}

function checkDomainName(field: string, name: string): FieldError[] {
  if (name === "") return [required(field)];
  const bare = name.replace(/\.$/, "");
  const wrong = dnsSubdomain(bare);
  if (wrong.length > 0) return [invalid(field, bare, wrong.join(","))];
  if (!bare.includes("."))
    return [invalid(field, bare, "should be a domain with at least two segments separated by dots")];
  const label = bare.split(".").find((part) => dnsLabel(part).length > 0);
  return label === undefined ? [] : [invalid(field, label, dnsLabel(label).join(","))];
}

function checkHints(path: string, hints: JsonObject): FieldError[] {
  return ["forZones", "forNodes"].flatMap((list) => {
    const items = objectsAt(hints, list);
    if (items.length > MOST.hints) return [tooMany(`${path}.${list}`, items.length, MOST.hints)];
    const names = items.map((item) => stringAt(item, "name"));
    return names.flatMap((name, index) => {
      const field = `${path}.${list}[${index}].name`;
      const format = list === "forZones" ? labelValue : dnsSubdomain;
      return [...(names.indexOf(name) < index ? [duplicate(field, name)] : []), ...invalids(field, name, format(name))];
    });
  });
}
