// Hands out cluster IPs of the service CIDR and node ports, and takes them back.
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

/** The first addresses are only given to who asks for them. */
const RESERVED = 16;
const NODE_PORTS = { first: 30000, last: 32767 };

const toNumber = (ip: string) => ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const toText = (n: number) => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join(".");

/** `cidr` is IPv4, such as 10.96.0.0/16. */
export function createServiceAllocator(cidr: string): ServiceAllocator {
  const [base = "", bits = "16"] = cidr.split("/");
  const first = toNumber(base);
  const size = 2 ** (32 - Number(bits));
  const addresses = new Map<string, string>();
  const ports = new Map<number, string>();
  let nextAddress = RESERVED;
  let nextPort = NODE_PORTS.first;

  const freeAddress = (): string | undefined => {
    for (let tries = 0; tries < size; tries++) {
      const at = nextAddress;
      nextAddress = at + 1 >= size - 1 ? RESERVED : at + 1;
      const text = toText(first + at);
      if (!addresses.has(text)) return text;
    }
    return undefined;
  };
  const freePort = (): number | undefined => {
    for (let tries = 0; tries <= NODE_PORTS.last - NODE_PORTS.first; tries++) {
      const at = nextPort;
      nextPort = at >= NODE_PORTS.last ? NODE_PORTS.first : at + 1;
      if (!ports.has(at)) return at;
    }
    return undefined;
  };
  const inside = (ip: string) => /^\d+\.\d+\.\d+\.\d+$/.test(ip) && toNumber(ip) > first && toNumber(ip) < first + size;
  const release = (service: JsonObject) => {
    const owner = ownerOf(service);
    const ip = stringAt(service, "spec", "clusterIP");
    if (addresses.get(ip) === owner) addresses.delete(ip);
    for (const port of nodePortsOf(service)) if (ports.get(port) === owner) ports.delete(port);
  };

  const assignAddress = (spec: JsonObject, owner: string): FieldError[] => {
    const asked = stringAt(spec, "clusterIP") || String(arrayAt(spec, "clusterIPs")[0] ?? "");
    if (asked === "None") {
      Object.assign(spec, { clusterIP: "None", clusterIPs: ["None"] });
      return [];
    }
    if (asked !== "" && (!inside(asked) || (addresses.get(asked) ?? owner) !== owner)) {
      const why = inside(asked)
        ? "provided IP is already allocated"
        : `the provided network does not match the service CIDR ${cidr}`;
      return [
        {
          field: "spec.clusterIPs",
          type: "FieldValueInvalid",
          value: [asked],
          detail: `failed to allocate IP ${asked}: ${why}`,
        },
      ];
    }
    const ip = asked === "" ? freeAddress() : asked;
    if (ip === undefined) {
      return [{ field: "spec.clusterIPs", type: "FieldValueInvalid", value: [], detail: "the service CIDR is full" }];
    }
    addresses.set(ip, owner);
    Object.assign(spec, { clusterIP: ip, clusterIPs: [ip] });
    return [];
  };

  const assignPorts = (spec: JsonObject, owner: string): FieldError[] => {
    const errors: FieldError[] = [];
    for (const [index, port] of objectsAt(spec, "ports").entries()) {
      const asked = numberAt(port, "nodePort") ?? 0;
      const field = `spec.ports[${index}].nodePort`;
      if (asked !== 0 && (asked < NODE_PORTS.first || asked > NODE_PORTS.last)) {
        const detail = `provided port is not in the valid range. The range of valid ports is ${NODE_PORTS.first}-${NODE_PORTS.last}`;
        errors.push({ field, type: "FieldValueInvalid", value: asked, detail });
      } else if (asked !== 0 && (ports.get(asked) ?? owner) !== owner) {
        errors.push({ field, type: "FieldValueInvalid", value: asked, detail: "provided port is already allocated" });
      } else {
        const given = asked === 0 ? freePort() : asked;
        if (given === undefined)
          errors.push({ field, type: "FieldValueInvalid", value: 0, detail: "no node port is free" });
        else {
          ports.set(given, owner);
          port["nodePort"] = given;
        }
      }
    }
    return errors;
  };

  return {
    address: (n) => toText(first + n),
    release,
    assign(service, old) {
      const spec = objectAt(service, "spec");
      const owner = ownerOf(service);
      keepFormer(spec, old);
      if (old !== undefined) release(old);
      const errors = needsAddress(spec) ? assignAddress(spec, owner) : withoutAddress(spec);
      if (needsNodePorts(spec)) errors.push(...assignPorts(spec, owner));
      else if (old !== undefined) dropPorts(spec, old);
      if (errors.length > 0) {
        release(service);
        if (old !== undefined) take(old, addresses, ports);
      }
      if (needsAddress(spec)) {
        spec["ipFamilies"] ??= ["IPv4"];
        spec["ipFamilyPolicy"] ??= "SingleStack";
      }
      return errors;
    },
  };
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

function take(service: JsonObject, addresses: Map<string, string>, ports: Map<number, string>): void {
  const ip = stringAt(service, "spec", "clusterIP");
  if (ip !== "" && ip !== "None") addresses.set(ip, ownerOf(service));
  for (const port of nodePortsOf(service)) ports.set(port, ownerOf(service));
}
