import { MeshError } from "#base/mesh-error";
import type { ProxyConfigFlags } from "../commands/proxy-config-flags.ts";
import { addressOf, type ConfigDump, child, type Json, listOf, textOf } from "../envoy-config-dump.ts";
import type { Facts } from "../output/print-facts.ts";

const HEAD = ["ENDPOINT", "STATUS", "OUTLIER CHECK", "CLUSTER"];

interface EndpointRow {
  readonly endpoint: string;
  readonly host: string;
  readonly port: string;
  readonly status: string;
  readonly outlier: string;
  readonly cluster: string;
  readonly data: Json;
}

/**
 * Reads /clusters?format=json: every host that the proxy would really send to, with the health it sees. A saved
 * /config_dump?include_eds is read too; it holds what the control plane sent. Throws MeshError for any other answer.
 */
export function endpointFacts(dump: ConfigDump, flags: ProxyConfigFlags): Facts {
  const all = dump.raw["cluster_statuses"] === undefined ? sentEndpoints(dump) : knownHosts(dump);
  const found = all.filter((row) => matches(row, flags));
  found.sort((a, b) => a.endpoint.localeCompare(b.endpoint) || a.cluster.localeCompare(b.cluster));
  return {
    head: HEAD,
    rows: found.map((row) => [row.endpoint, row.status, row.outlier, row.cluster]),
    data: found.map((row) => row.data),
  };
}

function knownHosts(dump: ConfigDump): EndpointRow[] {
  return listOf(dump.raw["cluster_statuses"]).flatMap((cluster) =>
    listOf(cluster["host_statuses"]).map((host) => rowOf(textOf(cluster["name"]), host)),
  );
}

function sentEndpoints(dump: ConfigDump): EndpointRow[] {
  const section = dump.section("EndpointsConfigDump");
  if (section === undefined) {
    throw new MeshError("CONFIG_DUMP_INVALID", "the file holds no endpoints", {
      hint: "save Envoy's /clusters?format=json or /config_dump?include_eds",
    });
  }
  const entries = [...listOf(section["static_endpoint_configs"]), ...listOf(section["dynamic_endpoint_configs"])];
  return entries.flatMap((entry) => {
    const config = child(entry, "endpoint_config");
    const endpoints = listOf(config?.["endpoints"]).flatMap((group) => listOf(group["lb_endpoints"]));
    return endpoints.map((endpoint) =>
      rowOf(textOf(config?.["cluster_name"]), {
        address: child(endpoint, "endpoint", "address"),
        health_status: { eds_health_status: endpoint["health_status"] ?? "HEALTHY" },
      }),
    );
  });
}

function rowOf(cluster: string, host: Json): EndpointRow {
  const health = child(host, "health_status");
  const address = addressOf(child(host, "address"));
  const eds = textOf(health?.["eds_health_status"] ?? "HEALTHY");
  const failedCheck = health?.["failed_active_health_check"] === true;
  return {
    endpoint: address.port === "" ? address.host : `${address.host}:${address.port}`,
    ...address,
    status: failedCheck ? "UNHEALTHY" : eds,
    outlier: health?.["failed_outlier_check"] === true ? "FAILED" : "OK",
    cluster,
    data: { cluster, ...host },
  };
}

function matches(row: EndpointRow, flags: ProxyConfigFlags): boolean {
  return (
    (flags.address === undefined || row.host === flags.address) &&
    (flags.port === undefined || row.port === flags.port) &&
    (flags.cluster === undefined || row.cluster === flags.cluster) &&
    (flags.status === undefined || row.status.toLowerCase() === flags.status.toLowerCase())
  );
}
