import { type Cidr, formatCidr, overlaps, parseCidr, subnets } from "#base/ipv4-range";
import { type Ipv6Cidr, parseIpv6Cidr } from "#base/ipv6-range";
import { MeshError } from "#base/mesh-error";
import type { Topology } from "./topology.ts";

/** Where outer segments come from when the topology names none; /24 each, first free one wins. */
export const OUTER_POOLS = ["172.30.0.0/16", "198.18.0.0/15"] as const;
const OUTER_PREFIX = 24;

/** Outer segments of IPv6 are parts of this: unique local addresses. */
export const OUTER_IPV6 = "fd69:7374::/32";
const OUTER_IPV6_PREFIX = 64;

/** The IPv6 range beside an IPv4 one: it carries the same number, so that it is free where the other is. */
export function outerIpv6(outer: Cidr): Ipv6Cidr {
  const pool = parseIpv6Cidr(OUTER_IPV6)?.first ?? 0n;
  const first = pool + (BigInt(outer.first) << BigInt(128 - OUTER_IPV6_PREFIX));
  return { first, last: first + (1n << 64n) - 1n, prefix: OUTER_IPV6_PREFIX };
}

/** A range that the host already uses, and what uses it. */
export interface HostRange {
  readonly cidr: Cidr;
  readonly usedBy: string;
}

/**
 * Reads what `ip -json -4 addr show` and `ip -json -4 route show table all` print. A default route is no use of an
 * address range. Throws SyntaxError when the text is no JSON.
 */
export function readHostRanges(addressesJson: string, routesJson: string): readonly HostRange[] {
  const ranges: HostRange[] = [];
  const add = (text: string, usedBy: string) => {
    const cidr = parseCidr(text);
    if (cidr !== undefined) ranges.push({ cidr, usedBy });
  };
  for (const link of rows(addressesJson)) {
    const infos = Array.isArray(link["addr_info"]) ? link["addr_info"] : [];
    for (const info of infos) add(`${info.local}/${info.prefixlen}`, `interface ${link["ifname"]}`);
  }
  for (const route of rows(routesJson)) {
    if (route["dst"] === "default" || route["dst"] === "0.0.0.0/0") continue;
    add(String(route["dst"]), `a route${route["dev"] === undefined ? "" : ` on ${route["dev"]}`}`);
  }
  return ranges;
}

function rows(json: string): Record<string, unknown>[] {
  const parsed: unknown = json.trim() === "" ? [] : JSON.parse(json);
  return Array.isArray(parsed) ? parsed : [];
}

/** Throws MeshError OUTER_CIDR_IN_USE when the topology's own outer range is used by the host. */
export function checkOuterCidr(topology: Topology, host: readonly HostRange[]): void {
  const wanted = topology.outerCIDR === undefined ? undefined : parseCidr(topology.outerCIDR);
  const taken = wanted && host.find((range) => overlaps(range.cidr, wanted));
  if (taken === undefined) return;
  throw new MeshError(
    "OUTER_CIDR_IN_USE",
    `outerCIDR ${topology.outerCIDR} overlaps ${formatCidr(taken.cidr)}, which this machine uses (${taken.usedBy})`,
    { hint: "choose another range, or leave outerCIDR out of the topology: a free one is then taken" },
  );
}

/** The outer ranges that may be taken, best first: the topology's own, else every free /24 of the pools. */
export function* outerCandidates(topology: Topology, host: readonly HostRange[]): Generator<Cidr> {
  const explicit = topology.outerCIDR === undefined ? undefined : parseCidr(topology.outerCIDR);
  if (explicit !== undefined) {
    yield explicit;
    return;
  }
  const own = topology.clusters.flatMap((cluster) => [parseCidr(cluster.podCIDR), parseCidr(cluster.serviceCIDR)]);
  const used = [...host.map((range) => range.cidr), ...own.filter((cidr) => cidr !== undefined)];
  for (const pool of OUTER_POOLS) {
    const range = parseCidr(pool);
    if (range === undefined) continue;
    for (const candidate of subnets(range, OUTER_PREFIX)) {
      if (!used.some((cidr) => overlaps(cidr, candidate))) yield candidate;
    }
  }
}
