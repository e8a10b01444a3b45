// The ranges of which Services get their addresses: those of the ServiceCIDR objects, which may come, go and overlap.
import { parseAddress } from "#base/ipv4-range";
import { formatIpv6, parseIpv6 } from "#base/ipv6-range";
import type { JsonObject } from "../contract.ts";
import { arrayAt, objectsAt, stringAt } from "../json.ts";
import { createServiceIpRange, type IpFamily, type ServiceIpRange } from "./service-ip-range.ts";

export interface ServiceRanges {
  /** The families of the cluster, its first one first. */
  readonly families: readonly IpFamily[];
  /** The range of the cluster's configuration of a family. */
  configured(family: string): ServiceIpRange | undefined;
  /** It is the owner's from now on when it is free and lies in a range that is ready. */
  take(address: string, owner: string): "taken" | "in use" | "out of range";
  /** A free one of any range that is ready; undefined when none is left. */
  takeAny(family: string, owner: string): string | undefined;
  /** It is the owner's when it is free, in whatever range. */
  hold(address: string, owner: string): void;
  release(address: string, owner: string): void;
  /** What there is from now on, by the ServiceCIDR objects; without any, the ranges of the configuration. */
  follow(objects: readonly JsonObject[]): void;
}

export function createServiceRanges(cidrs: readonly string[]): ServiceRanges {
  const taken = new Map<string, string>();
  const configured = cidrs.map((cidr) => createServiceIpRange(cidr, taken));
  /** Kept while an object has it, ready or not, so that it goes on where it was. */
  let known = new Map(configured.map((range) => [range.cidr, range]));
  let ready = configured;
  return {
    families: configured.map(({ family }) => family),
    configured: (family) => configured.find((range) => range.family === family),
    take(address, owner) {
      for (const range of ready) {
        const answer = range.take(address, owner);
        if (answer !== "out of range") return answer;
      }
      return "out of range";
    },
    takeAny(family, owner) {
      for (const range of ready) {
        const found = range.family === family ? range.takeAny(owner) : undefined;
        if (found !== undefined) return found;
      }
      return undefined;
    },
    hold(address, owner) {
      const key = canonical(address);
      if (key !== undefined && !taken.has(key)) taken.set(key, owner);
    },
    release(address, owner) {
      const key = canonical(address);
      if (key !== undefined && taken.get(key) === owner) taken.delete(key);
    },
    follow(objects) {
      if (objects.length === 0) return;
      const before = known;
      const wanted = [...new Set(objects.flatMap(cidrsOf))];
      // Those of the configuration first.
      const inOrder = [
        ...wanted.filter((cidr) => cidrs.includes(cidr)),
        ...wanted.filter((cidr) => !cidrs.includes(cidr)),
      ];
      known = new Map(inOrder.map((cidr) => [cidr, before.get(cidr) ?? createServiceIpRange(cidr, taken)]));
      const open = new Set(objects.filter(isReady).flatMap(cidrsOf));
      ready = [...known.values()].filter(({ cidr }) => open.has(cidr));
    },
  };
}

const cidrsOf = (object: JsonObject) => arrayAt(object, "spec", "cidrs").map(String);

/** One of which nobody says anything yet is ready: there may be no controller. */
function isReady(object: JsonObject): boolean {
  if (stringAt(object, "metadata", "deletionTimestamp") !== "") return false;
  const ready = objectsAt(object, "status", "conditions").find(({ type }) => type === "Ready");
  return ready === undefined || ready["status"] === "True";
}

/** An address as the ranges write it. */
function canonical(address: string): string | undefined {
  if (parseAddress(address) !== undefined) return address;
  const six = parseIpv6(address);
  return six === undefined ? undefined : formatIpv6(six);
}
