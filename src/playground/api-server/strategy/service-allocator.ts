// Hands out cluster IPs of the service CIDR and node ports, and takes them back.
import { addressAt, formatAddress, parseAddress, parseCidr } from "#base/ipv4-range";
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";

export interface ServiceAllocator {
  /**
   * Completes a Service in place with clusterIP(s), ipFamilies and node ports; takes and gives back what differs from
   * `old`. Answers why it cannot, and then keeps everything as it was.
   */
  assign(service: JsonObject, old: JsonObject | undefined): FieldError[];
  release(service: JsonObject): void;
  /** The n-th address of the CIDR: 1 is the API server, 10 the cluster DNS. */
  address(n: number): string;
}

/** So many of the first of a range are left to those who ask for one of them, as long as others are free. */
const staticBand = (size: number, share: number, most: number) =>
  size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / share)), most);
const NODE_PORTS = { first: 30000, last: 32767 };

/** Numbers of a range, each with at most one owner. */
interface Pool {
  /** True when `value` is the owner's from now on. */
  take(value: number, owner: string): boolean;
  /** The next free number; undefined when none is. */
  takeAny(owner: string): number | undefined;
  release(value: number, owner: string): void;
}

/** Free numbers are given in turn, so that one that was just released is not given again at once. */
function createPool(first: number, last: number, left: number): Pool {
  const owners = new Map<number, string>();
  const dynamic = Math.min(first + left, last);
  let next = dynamic;
  const takeFree = (from: number, to: number, owner: string): number | undefined => {
    for (let tries = from; tries <= to; tries++) {
      const value = next;
      next = value >= to ? from : value + 1;
      if (owners.has(value)) continue;
      owners.set(value, owner);
      return value;
    }
    return undefined;
  };
  return {
    take(value, owner) {
      if ((owners.get(value) ?? owner) !== owner) return false;
      owners.set(value, owner);
      return true;
    },
    takeAny(owner) {
      const found = takeFree(dynamic, last, owner);
      if (found !== undefined) return found;
      next = first;
      return takeFree(first, last, owner);
    },
    release(value, owner) {
      if (owners.get(value) === owner) owners.delete(value);
    },
  };
}

interface Pools {
  readonly cidr: string;
  readonly first: number;
  readonly size: number;
  readonly addresses: Pool;
  readonly ports: Pool;
}

/** `cidr` is IPv4, such as 10.96.0.0/16. */
export function createServiceAllocator(cidr: string): ServiceAllocator {
  const range = parseCidr(cidr);
  if (range === undefined) throw new Error(`the service CIDR ${cidr} is no IPv4 range`);
  const { first } = range;
  const size = range.last - first + 1;
  const pools: Pools = {
    cidr,
    first,
    size,
    addresses: createPool(first + 1, first + size - 2, staticBand(size, 16, 256)),
    ports: createPool(NODE_PORTS.first, NODE_PORTS.last, staticBand(2768, 32, 128)),
  };
  return {
    address: (n) => addressAt(range, n),
    release: (service) => release(pools, service),
    assign: (service, old) => assign(pools, service, old),
  };
}

function assign(pools: Pools, service: JsonObject, old: JsonObject | undefined): FieldError[] {
  const spec = objectAt(service, "spec");
  const owner = ownerOf(service);
  keepFormer(spec, old);
  if (old !== undefined) release(pools, old);
  const errors = needsAddress(spec) ? assignAddress(pools, spec, owner) : withoutAddress(spec);
  if (needsNodePorts(spec)) errors.push(...assignPorts(pools, spec, owner));
  else if (old !== undefined) dropPorts(spec, old);
  if (errors.length > 0) {
    release(pools, service);
    if (old !== undefined) takeBack(pools, old);
  }
  return errors;
}

function release(pools: Pools, service: JsonObject): void {
  const owner = ownerOf(service);
  const address = parseAddress(stringAt(service, "spec", "clusterIP"));
  if (address !== undefined) pools.addresses.release(address, owner);
  for (const port of nodePortsOf(service)) pools.ports.release(port, owner);
}

function takeBack(pools: Pools, service: JsonObject): void {
  const address = parseAddress(stringAt(service, "spec", "clusterIP"));
  if (address !== undefined) pools.addresses.take(address, ownerOf(service));
  for (const port of nodePortsOf(service)) pools.ports.take(port, ownerOf(service));
}

/** What no cluster of one family of addresses can give. */
function checkAsked(spec: JsonObject, asked: string): FieldError | undefined {
  const refuse = (field: string, value: unknown, detail: string): FieldError => ({
    field,
    type: "FieldValueInvalid",
    value,
    detail,
  });
  const ips = arrayAt(spec, "clusterIPs");
  if (asked === "" && ips.length > 0)
    return refuse("spec.clusterIPs", ips, "must be empty when `clusterIP` is not specified");
  if (asked === "None") return undefined;
  const family = arrayAt(spec, "ipFamilies").indexOf("IPv6");
  if (family !== -1) return refuse(`spec.ipFamilies[${family}]`, "IPv6", "not configured on this cluster");
  if (spec["ipFamilyPolicy"] === "RequireDualStack")
    return refuse("spec.ipFamilyPolicy", "RequireDualStack", "this cluster is not configured for dual-stack services");
  return undefined;
}

function assignAddress(pools: Pools, spec: JsonObject, owner: string): FieldError[] {
  const asked = stringAt(spec, "clusterIP");
  const wrong = checkAsked(spec, asked);
  if (wrong !== undefined) return [wrong];
  spec["ipFamilies"] ??= ["IPv4"];
  spec["ipFamilyPolicy"] ??= "SingleStack";
  if (asked === "None") {
    Object.assign(spec, { clusterIP: "None", clusterIPs: ["None"] });
    return [];
  }
  const refuse = (why: string): FieldError[] => [
    { field: "spec.clusterIPs", type: "FieldValueInvalid", value: asked === "" ? [] : [asked], detail: why },
  ];
  const known = asked === "" || parseAddress(asked) !== undefined;
  if (!known) {
    // Validation says what is wrong with it.
    spec["clusterIPs"] ??= [asked];
    return [];
  }
  const number = asked === "" ? pools.addresses.takeAny(owner) : (parseAddress(asked) ?? Number.NaN);
  if (number === undefined) return refuse("failed to allocate an IP: the service CIDR is full");
  if (asked !== "") {
    const inside = number > pools.first && number < pools.first + pools.size;
    if (!inside)
      return refuse(
        `failed to allocate IP ${asked}: the provided IP (${asked}) is not in the valid range. The range of valid IPs is ${pools.cidr}`,
      );
    if (!pools.addresses.take(number, owner))
      return refuse(`failed to allocate IP ${asked}: provided IP is already allocated`);
  }
  Object.assign(spec, { clusterIP: formatAddress(number), clusterIPs: [formatAddress(number)] });
  return [];
}

function assignPorts(pools: Pools, spec: JsonObject, owner: string): FieldError[] {
  return objectsAt(spec, "ports").flatMap((port, index): FieldError[] => {
    const asked = numberAt(port, "nodePort") ?? 0;
    const refuse = (detail: string): FieldError[] => [
      { field: `spec.ports[${index}].nodePort`, type: "FieldValueInvalid", value: asked, detail },
    ];
    const { first, last } = NODE_PORTS;
    if (asked !== 0 && (asked < first || asked > last)) {
      return refuse(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`);
    }
    if (asked !== 0) return pools.ports.take(asked, owner) ? [] : refuse("provided port is already allocated");
    const given = pools.ports.takeAny(owner);
    if (given === undefined) return refuse("no node port is free");
    port["nodePort"] = given;
    return [];
  });
}

const ownerOf = (service: JsonObject) =>
  `${stringAt(service, "metadata", "namespace")}/${stringAt(service, "metadata", "name")}`;
const needsAddress = (spec: JsonObject) => stringAt(spec, "type") !== "ExternalName";
const needsNodePorts = (spec: JsonObject) =>
  stringAt(spec, "type") === "NodePort" ||
  (stringAt(spec, "type") === "LoadBalancer" && spec["allocateLoadBalancerNodePorts"] !== false);

const nodePortsOf = (service: JsonObject) =>
  objectsAt(service, "spec", "ports").flatMap((port) => numberAt(port, "nodePort") ?? []);

/** An update that does not name the address or the node ports keeps them. */
function keepFormer(spec: JsonObject, old: JsonObject | undefined): void {
  const former = objectAt(old, "spec");
  if (needsAddress(spec) && stringAt(spec, "clusterIP") === "" && stringAt(former, "clusterIP") !== "") {
    spec["clusterIP"] = stringAt(former, "clusterIP");
  }
  if (!needsNodePorts(spec)) return;
  for (const port of objectsAt(spec, "ports")) {
    const same = objectsAt(former, "ports").find(
      (other) => other["port"] === port["port"] && other["protocol"] === port["protocol"],
    );
    const kept = numberAt(same, "nodePort");
    if ((numberAt(port, "nodePort") ?? 0) === 0 && kept !== undefined) port["nodePort"] = kept;
  }
}

function withoutAddress(spec: JsonObject): FieldError[] {
  for (const field of ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"]) delete spec[field];
  return [];
}

/** A Service that stops being a NodePort loses the ports that the server gave it. */
function dropPorts(spec: JsonObject, old: JsonObject): void {
  if (!needsNodePorts(objectAt(old, "spec"))) return;
  for (const port of objectsAt(spec, "ports")) delete port["nodePort"];
}
