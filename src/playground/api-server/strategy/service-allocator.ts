// Hands out cluster IPs of the service ranges and node ports, and takes them back.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt, stringAt } from "../json.ts";
import { invalid } from "../validation/field-errors.ts";
import { needsHealthCheck } from "../validation/services.ts";
import { completeFamilies, familiesOf, ipsOf, keepsPreference, normalizeClusterIps } from "./ip-families.ts";
import { createNumberPool, staticBand } from "./number-pool.ts";
import { assignNodePorts, keepNodePorts, NODE_PORTS, nodePortsOf } from "./service-node-ports.ts";
import type { Operation } from "./service-operation.ts";
import { createServiceRanges } from "./service-ranges.ts";

/** What came of an assignment: with errors nothing is kept, and `undo` does nothing. */
export interface Assignment {
  readonly errors: readonly FieldError[];
  /** Makes everything as it was before. */
  undo(): void;
}

export interface ServiceAllocator {
  /**
   * Completes a Service in place with families, clusterIP(s) and node ports as its type and ipFamilyPolicy ask; takes
   * what `old` has not, gives back what the Service has no more. A dry run is refused in other words, and undone by its
   * caller.
   */
  assign(service: JsonObject, old: JsonObject | undefined, options?: { readonly dryRun: boolean }): Assignment;
  /** Takes what a Service has, as it stands. */
  hold(service: JsonObject): void;
  release(service: JsonObject): void;
  /** Addresses are those of these ServiceCIDR objects from now on; what is given stays given. */
  followRanges(objects: readonly JsonObject[]): void;
  /** The n-th address of the first range: 1 is the API server, 10 the cluster DNS. */
  address(n: number): string;
}

/** One range, or one of each family; the first is the family of Services that do not say which they want. */
export function createServiceAllocator(...cidrs: readonly string[]): ServiceAllocator {
  const ranges = createServiceRanges(cidrs);
  const first = ranges.configured(ranges.families[0] ?? "IPv4");
  if (first === undefined) throw new Error("a cluster needs a range of addresses for Services");
  const ports = createNumberPool(NODE_PORTS.first, NODE_PORTS.last, staticBand(2768, 32, 128));
  const release = (service: JsonObject) => {
    const owner = ownerOf(service);
    for (const ip of ipsOf(objectAt(service, "spec"))) ranges.release(ip, owner);
    for (const port of nodePortsOf(service)) ports.release(port, owner);
  };
  const hold = (service: JsonObject) => {
    const owner = ownerOf(service);
    for (const ip of ipsOf(objectAt(service, "spec"))) ranges.hold(ip, owner);
    for (const port of nodePortsOf(service)) ports.take(port, owner);
  };
  return {
    address: first.address,
    hold,
    release,
    followRanges: ranges.follow,
    assign(service, old, { dryRun } = { dryRun: false }) {
      const operation: Operation = { owner: ownerOf(service), ports, ranges, undo: [], dryRun, given: [] };
      const undo = () => {
        for (const step of operation.undo.splice(0).reverse()) step();
      };
      try {
        const errors = assign(service, old, operation);
        if (errors.length > 0) undo();
        return { errors, undo };
      } catch (thrown) {
        undo();
        throw thrown;
      }
    },
  };
}

function assign(service: JsonObject, old: JsonObject | undefined, operation: Operation): FieldError[] {
  const spec = objectAt(service, "spec");
  const before = old && objectAt(old, "spec");
  if (before !== undefined) keepAllocated(spec, before);
  normalizeClusterIps(spec, before);
  const errors = completeFamilies(spec, before, operation.ranges.families);
  if (errors.length > 0) return errors;
  const refusals = assignAddresses(spec, before, operation);
  return refusals.length > 0 ? refusals : assignNodePorts(service, old, operation);
}

/** An update that does not name what the server gave keeps it. */
function keepAllocated(spec: JsonObject, before: JsonObject): void {
  if (needsAddress(spec) && needsAddress(before)) {
    if (stringAt(spec, "clusterIP") === "" && before["clusterIP"] !== undefined)
      spec["clusterIP"] = before["clusterIP"];
    if (ipsOf(spec).length === 0 && ipsOf(before).length > 0) spec["clusterIPs"] = ipsOf(before);
  }
  keepNodePorts(spec, before);
  const both = needsHealthCheck(spec) && needsHealthCheck(before);
  if (both && (numberAt(spec, "healthCheckNodePort") ?? 0) === 0 && before["healthCheckNodePort"] !== undefined)
    spec["healthCheckNodePort"] = before["healthCheckNodePort"];
}

const needsAddress = (spec: JsonObject) => stringAt(spec, "type") !== "ExternalName";
const isHeadless = (spec: JsonObject) => ipsOf(spec)[0] === "None";

function assignAddresses(spec: JsonObject, before: JsonObject | undefined, operation: Operation): FieldError[] {
  if (before === undefined) return takeAddresses(spec, 0, operation);
  if (keepsPreference(spec, before)) return [];
  if (!needsAddress(before)) return takeAddresses(spec, 0, operation);
  if (isHeadless(before)) return [];
  if (!needsAddress(spec)) {
    giveBack(ipsOf(before), operation);
    return [];
  }
  const [had, has] = [familiesOf(before).length, familiesOf(spec).length];
  if (had === 1 && has === 2) return takeAddresses(spec, 1, operation);
  if (had === 2 && has === 1) giveBack(ipsOf(before).slice(1), operation);
  return [];
}

/** Undefined when it may be had. */
function takeAddress(family: string, ip: string, { ranges, owner, dryRun }: Operation): string | undefined {
  const result = ranges.take(ip, owner);
  if (result === "taken") return undefined;
  if (result === "in use") return "provided IP is already allocated";
  if (!dryRun) return "the provided network does not match the current range";
  return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${ranges.configured(family)?.cidr ?? ""}`;
}

/** An address for each family from the n-th on: the one that is asked for, or any. */
function takeAddresses(spec: JsonObject, from: number, operation: Operation): FieldError[] {
  const { ranges, owner, undo, dryRun } = operation;
  if (!needsAddress(spec) || isHeadless(spec)) return [];
  const families = familiesOf(spec);
  const asked = ipsOf(spec);
  const shown = families.map((_, index) => asked[index] ?? "");
  const refuse = (detail: string) => [invalid("spec.clusterIPs", shown, detail)];
  const given = [...asked];
  for (const [index, family] of families.entries()) {
    const configured = ranges.configured(family);
    if (index < from || configured === undefined) continue;
    const ip = asked[index] ?? "";
    const why = ip === "" ? undefined : takeAddress(family, ip, operation);
    if (why !== undefined) return refuse(`failed to allocate IP ${ip}: ${why}`);
    // A dry run looks for no address: it shows that of the network.
    const any = () => (dryRun ? configured.address(0) : ranges.takeAny(family, owner));
    const taken = ip === "" ? any() : ip;
    if (taken === undefined) return refuse("failed to allocate an IP: the service CIDR is full");
    undo.push(() => ranges.release(taken, owner));
    given[index] = taken;
  }
  Object.assign(spec, { clusterIP: given[0] ?? "", clusterIPs: given });
  return [];
}

function giveBack(ips: readonly string[], { ranges, owner, undo }: Operation): void {
  for (const ip of ips) {
    ranges.release(ip, owner);
    undo.push(() => ranges.hold(ip, owner));
  }
}

const ownerOf = (service: JsonObject) =>
  `${stringAt(service, "metadata", "namespace")}/${stringAt(service, "metadata", "name")}`;
