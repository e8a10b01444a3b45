import { type Cidr, formatCidr, overlaps, parseCidr } from "#base/ipv4-range";
import type { Topology, TopologyCluster, TopologyViolation } from "./topology.ts";

/** LoadBalancer ranges of 32 addresses from .64 on: six of them fit a /24. */
export const MAX_CLUSTERS = 6;

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_LIMIT = 63;
const DEFAULTS = { podCIDR: "10.244.0.0/16", serviceCIDR: "10.96.0.0/16" };
const TOP_KEYS = ["outerCIDR", "clusters"];
const CLUSTER_KEYS = ["name", "network", "podCIDR", "serviceCIDR", "region", "zone"];

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
    region,
    zone: label("zone", `${region}-zone1`),
  };
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
    for (const other of topology.clusters.slice(0, index)) {
      if (other.network !== cluster.network) continue;
      if (overlaps(range(other.podCIDR), range(cluster.podCIDR))) {
        const why = `${other.name} has ${other.podCIDR} on the same network ${cluster.network}`;
        report(`${path}.podCIDR`, `${cluster.podCIDR}: ${why}; give each cluster of a network its own range`);
      }
    }
  });
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
