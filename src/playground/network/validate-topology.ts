import { type Cidr, formatCidr, overlaps, parseCidr } from "#base/ipv4-range";
import { formatIpv6Cidr, overlapsIpv6, parseIpv6Cidr } from "#base/ipv6-range";
import { OUTER_IPV6 } from "./outer-segment.ts";
import type { Topology, TopologyCluster, TopologyViolation } from "./topology.ts";

/** LoadBalancer ranges of 32 addresses from .64 on: six of them fit a /24. */
export const MAX_CLUSTERS = 6;

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_LIMIT = 63;
const DEFAULTS = { podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/16" };
const IPV6_DEFAULTS = { podCIDR: "fd00:10:244::/64", serviceCIDR: "fd00:10:96::/112" };
/** Widest and narrowest prefix: what every part of a Kubernetes release takes. */
const IPV6_PREFIXES = { podCIDR: [64, 112], serviceCIDR: [108, 120] } as const;
const TOP_KEYS = ["outerCIDR", "clusters"];
const CLUSTER_KEYS = ["name", "network", "podCIDR", "serviceCIDR", "ipv6", "region", "zone"];

type Report = (path: string, message: string) => void;

/** Gives the topology, defaults filled in, or every violation found; never both. */
export function validateTopology(value: unknown): {
  topology: Topology | undefined;
  violations: readonly TopologyViolation[];
} {
  const violations: TopologyViolation[] = [];
  const report: Report = (path, message) => violations.push({ path, message });
  const topology = readTopology(value, report);
  if (topology !== undefined && violations.length === 0) checkAddresses(topology, report);
  return { topology: violations.length === 0 ? topology : undefined, violations };
}

function readTopology(value: unknown, report: Report): Topology | undefined {
  if (!isRecord(value)) {
    report("(top)", "expected a mapping with `clusters`");
    return undefined;
  }
  unknownKeys(value, TOP_KEYS, { path: "", report });
  const list = value["clusters"];
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_CLUSTERS) {
    report("clusters", `expected a list of 1 to ${MAX_CLUSTERS} clusters`);
    return undefined;
  }
  const clusters = list.map((entry: unknown, index) => readCluster(entry, `clusters[${index}]`, report));
  const seen = new Set<string>();
  clusters.forEach((cluster, index) => {
    if (seen.has(cluster.name)) report(`clusters[${index}].name`, `${cluster.name} is used twice; name it otherwise`);
    seen.add(cluster.name);
  });
  const outer = value["outerCIDR"];
  if (outer === undefined) return { clusters };
  const outerCIDR = readCidr(outer, { path: "outerCIDR", report, widest: 16, narrowest: 24 });
  return { clusters, outerCIDR };
}

function readCluster(value: unknown, path: string, report: Report): TopologyCluster {
  const entry = isRecord(value) ? value : {};
  if (!isRecord(value)) report(path, "expected a mapping with `name` and `network`");
  unknownKeys(entry, CLUSTER_KEYS, { path: `${path}.`, report });
  const label = (key: string, fallback?: string) => readLabel(entry[key] ?? fallback, `${path}.${key}`, report);
  const name = label("name");
  const region = label("region", "region1");
  const cidr = (key: "podCIDR" | "serviceCIDR") =>
    readCidr(entry[key] ?? DEFAULTS[key], { path: `${path}.${key}`, report, widest: 8, narrowest: 24 });
  return {
    name,
    network: label("network"),
    podCIDR: cidr("podCIDR"),
    serviceCIDR: cidr("serviceCIDR"),
    ...readIpv6(entry["ipv6"], `${path}.ipv6`, report),
    region,
    zone: label("zone", `${region}-zone1`),
  };
}

/** `ipv6: true` takes the usual ranges. */
function readIpv6(value: unknown, path: string, report: Report): Pick<TopologyCluster, "ipv6"> {
  if (value === undefined || value === false) return {};
  const entry = isRecord(value) ? value : {};
  if (value !== true && !isRecord(value)) report(path, `${show(value)}: expected true, or podCIDR and serviceCIDR`);
  unknownKeys(entry, Object.keys(IPV6_DEFAULTS), { path: `${path}.`, report });
  const cidr = (key: keyof typeof IPV6_DEFAULTS) => {
    const text = entry[key] ?? IPV6_DEFAULTS[key];
    const range = typeof text === "string" ? parseIpv6Cidr(text) : undefined;
    const [widest, narrowest] = IPV6_PREFIXES[key];
    if (range === undefined) {
      report(`${path}.${key}`, `${show(text)}: expected an IPv6 range such as ${IPV6_DEFAULTS[key]}`);
      return "";
    }
    if (range.prefix < widest || range.prefix > narrowest) {
      report(`${path}.${key}`, `${show(text)}: expected a prefix between /${widest} and /${narrowest}`);
    }
    return formatIpv6Cidr(range);
  };
  return { ipv6: { podCIDR: cidr("podCIDR"), serviceCIDR: cidr("serviceCIDR") } };
}

function readLabel(value: unknown, path: string, report: Report): string {
  if (typeof value === "string" && value.length <= LABEL_LIMIT && DNS_LABEL.test(value)) return value;
  report(path, `${show(value)}: expected lower-case letters, digits and dashes, at most ${LABEL_LIMIT}`);
  return "";
}

interface CidrRules {
  readonly path: string;
  readonly report: Report;
  readonly widest: number;
  readonly narrowest: number;
}

function readCidr(value: unknown, { path, report, widest, narrowest }: CidrRules): string {
  const cidr = typeof value === "string" && value.includes("/") ? parseCidr(value) : undefined;
  if (cidr === undefined) {
    report(path, `${show(value)}: expected an IPv4 range such as ${DEFAULTS.podCIDR}`);
    return "";
  }
  if (cidr.prefix < widest || cidr.prefix > narrowest) {
    report(path, `${show(value)}: expected a prefix between /${widest} and /${narrowest}`);
  }
  return formatCidr(cidr);
}

/** Pod and service ranges may be the same in clusters of different networks: nothing then works by accident. */
function checkAddresses(topology: Topology, report: Report): void {
  const range = (text: string): Cidr => parseCidr(text) ?? { first: 0, last: -1, prefix: 32 };
  const outer = topology.outerCIDR;
  topology.clusters.forEach((cluster, index) => {
    const path = `clusters[${index}]`;
    if (overlaps(range(cluster.podCIDR), range(cluster.serviceCIDR))) {
      report(`${path}.serviceCIDR`, `${cluster.serviceCIDR} overlaps podCIDR ${cluster.podCIDR}; choose another`);
    }
    for (const key of ["podCIDR", "serviceCIDR"] as const) {
      if (outer !== undefined && overlaps(range(cluster[key]), range(outer))) {
        report(`${path}.${key}`, `${cluster[key]} overlaps outerCIDR ${outer}; choose another`);
      }
    }
    checkIpv6Addresses(topology, index, report);
    for (const other of topology.clusters.slice(0, index)) {
      if (other.network !== cluster.network) continue;
      if (overlaps(range(other.podCIDR), range(cluster.podCIDR))) {
        const why = `${other.name} has ${other.podCIDR} on the same network ${cluster.network}`;
        report(`${path}.podCIDR`, `${cluster.podCIDR}: ${why}; give each cluster of a network its own range`);
      }
    }
  });
}

function checkIpv6Addresses({ clusters }: Topology, index: number, report: Report): void {
  const own = clusters[index];
  if (own?.ipv6 === undefined) return;
  const { podCIDR, serviceCIDR } = own.ipv6;
  const path = `clusters[${index}].ipv6`;
  const clash = (a: string, b: string) => {
    const [first, second] = [parseIpv6Cidr(a), parseIpv6Cidr(b)];
    return first !== undefined && second !== undefined && overlapsIpv6(first, second);
  };
  if (clash(podCIDR, serviceCIDR)) {
    report(`${path}.serviceCIDR`, `${serviceCIDR} overlaps podCIDR ${podCIDR}; choose another`);
  }
  for (const key of ["podCIDR", "serviceCIDR"] as const) {
    if (clash(own.ipv6[key], OUTER_IPV6)) {
      report(`${path}.${key}`, `${own.ipv6[key]} overlaps ${OUTER_IPV6} of the outer segment; choose another`);
    }
  }
  for (const other of clusters.slice(0, index)) {
    if (other.network !== own.network || other.ipv6 === undefined || !clash(other.ipv6.podCIDR, podCIDR)) continue;
    const why = `${other.name} has ${other.ipv6.podCIDR} on the same network ${own.network}`;
    report(`${path}.podCIDR`, `${podCIDR}: ${why}; give each cluster of a network its own range`);
  }
}

function unknownKeys(
  entry: Record<string, unknown>,
  known: readonly string[],
  at: { path: string; report: Report },
): void {
  for (const key of Object.keys(entry)) {
    if (!known.includes(key)) at.report(`${at.path}${key}`, `unknown field; known are ${known.join(", ")}`);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? "missing" : JSON.stringify(value);
}
