import { parseClusterName, parseSniClusterName } from "#envoy/names";
import type { ProxyConfigFlags } from "../commands/proxy-config-flags.ts";
import { type ConfigDump, child, type Json, textOf } from "../envoy-config-dump.ts";
import type { Facts } from "../output/print-facts.ts";
import { clustersOf } from "./dynamic-resources.ts";

const HEAD = ["SERVICE FQDN", "PORT", "SUBSET", "DIRECTION", "TYPE", "DESTINATION RULE"];

interface ClusterRow {
  readonly fqdn: string;
  readonly port: string;
  readonly subset: string;
  readonly direction: string;
  readonly type: string;
  readonly rule: string;
}

export function clusterFacts(dump: ConfigDump, flags: ProxyConfigFlags): Facts {
  const found = clustersOf(dump)
    .map((cluster) => ({ cluster, row: rowOf(cluster) }))
    .filter(({ row }) => matches(row, flags));
  found.sort((a, b) => compare(a.row, b.row));
  const rows = found.map(({ row }) => [row.fqdn, row.port, row.subset, row.direction, row.type, row.rule]);
  return { head: HEAD, rows, data: found.map(({ cluster }) => cluster) };
}

function rowOf(cluster: Json): ClusterRow {
  const name = textOf(cluster["name"]);
  const parsed = parseClusterName(name) ?? parseSniClusterName(name);
  const type = textOf(cluster["type"] ?? child(cluster, "cluster_type")?.["name"] ?? "STATIC");
  const rule = textOf(child(cluster, "metadata", "filter_metadata", "istio")?.["config"]);
  if (parsed === undefined) return { fqdn: name, port: "-", subset: "-", direction: "-", type, rule: ruleName(rule) };
  return {
    fqdn: parsed.hostname,
    port: String(parsed.port),
    subset: parsed.subset || "-",
    direction: parsed.direction,
    type,
    rule: ruleName(rule),
  };
}

/** `/apis/networking.istio.io/v1/namespaces/NS/destination-rule/NAME` as `NAME.NS`. */
function ruleName(path: string): string {
  const match = /\/namespaces\/([^/]+)\/[^/]+\/([^/]+)$/.exec(path);
  return match === null ? "" : `${match[2]}.${match[1]}`;
}

function matches(row: ClusterRow, flags: ProxyConfigFlags): boolean {
  return (
    (flags.fqdn === undefined || row.fqdn === flags.fqdn) &&
    (flags.port === undefined || row.port === flags.port) &&
    (flags.subset === undefined || row.subset === flags.subset) &&
    (flags.direction === undefined || row.direction === flags.direction)
  );
}

function compare(a: ClusterRow, b: ClusterRow): number {
  return a.fqdn.localeCompare(b.fqdn) || Number(a.port) - Number(b.port) || a.subset.localeCompare(b.subset);
}
