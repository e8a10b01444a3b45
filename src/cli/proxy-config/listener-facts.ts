import { isBrief, type ProxyConfigFlags } from "../commands/proxy-config-flags.ts";
import { addressOf, type ConfigDump, child, type Json, listOf, textOf } from "../envoy-config-dump.ts";
import type { Facts } from "../output/print-facts.ts";
import { listenersOf } from "./dynamic-resources.ts";

const HEAD = ["ADDRESSES", "PORT", "MATCH", "DESTINATION"];
const BRIEF_HEAD = ["ADDRESSES", "PORT", "TYPE"];
const HCM = "envoy.filters.network.http_connection_manager";

export function listenerFacts(dump: ConfigDump, flags: ProxyConfigFlags): Facts {
  const found = listenersOf(dump).filter((listener) => matches(listener, flags));
  found.sort((a, b) => Number(addressOf(child(a, "address")).port) - Number(addressOf(child(b, "address")).port));
  if (!isBrief(flags)) return { head: HEAD, rows: found.flatMap(rowsOf), data: found };
  const rows = found.map((listener) => {
    const { host, port } = addressOf(child(listener, "address"));
    return [host, port, typeOf(listener)];
  });
  return { head: BRIEF_HEAD, rows, data: found };
}

function typeOf(listener: Json): string {
  return chainsOf(listener).some((chain) => filterNamed(chain, HCM) !== undefined) ? "HTTP" : "TCP";
}

function matches(listener: Json, flags: ProxyConfigFlags): boolean {
  const { host, port } = addressOf(child(listener, "address"));
  return (
    (flags.address === undefined || host === flags.address) &&
    (flags.port === undefined || port === flags.port) &&
    (flags.type === undefined || typeOf(listener) === flags.type.toUpperCase())
  );
}

function chainsOf(listener: Json): Json[] {
  const fallback = child(listener, "default_filter_chain");
  return [...listOf(listener["filter_chains"]), ...(fallback === undefined ? [] : [fallback])];
}

function rowsOf(listener: Json): string[][] {
  const { host, port } = addressOf(child(listener, "address"));
  const rows = chainsOf(listener).map((chain) => [host, port, matchOf(chain), destinationOf(chain)]);
  return [...new Map(rows.map((row) => [row.join("\u0000"), row])).values()];
}

/** What a connection must be for the chain: `Trans: tls; App: istio; SNI: x; Addr: *:5000`. */
function matchOf(chain: Json): string {
  const match = child(chain, "filter_chain_match");
  if (match === undefined) return "ALL";
  const parts: string[] = [];
  const names = match["server_names"];
  if (Array.isArray(names) && names.length > 0) parts.push(`SNI: ${names.join(",")}`);
  const transport = textOf(match["transport_protocol"]);
  if (transport !== "") parts.push(`Trans: ${transport}`);
  const protocols = match["application_protocols"];
  if (Array.isArray(protocols) && protocols.length > 0) parts.push(`App: ${protocols.join(",")}`);
  const ranges = listOf(match["prefix_ranges"]).map(
    (range) => `${textOf(range["address_prefix"])}/${textOf(range["prefix_len"])}`,
  );
  const destination = textOf(match["destination_port"]);
  if (ranges.length > 0 || destination !== "") parts.push(`Addr: ${ranges.join(",") || "*"}:${destination || "*"}`);
  return parts.join("; ") || "ALL";
}

function filterNamed(chain: Json, name: string): Json | undefined {
  return listOf(chain["filters"]).find((filter) => filter["name"] === name);
}

function destinationOf(chain: Json): string {
  const http = child(filterNamed(chain, HCM), "typed_config");
  if (http !== undefined) {
    const rds = textOf(child(http, "rds")?.["route_config_name"]);
    return rds === "" ? `Inline Route: ${inlineRoutes(child(http, "route_config"))}` : `Route: ${rds}`;
  }
  const tcp = child(filterNamed(chain, "envoy.filters.network.tcp_proxy"), "typed_config");
  const sni = filterNamed(chain, "envoy.filters.network.sni_cluster") !== undefined;
  if (sni) return "Cluster: by SNI";
  return tcp === undefined ? "Non-HTTP/Non-TCP" : `Cluster: ${textOf(tcp["cluster"])}`;
}

function inlineRoutes(config: Json | undefined): string {
  const routes = listOf(config?.["virtual_hosts"]).flatMap((host) => listOf(host["routes"]));
  return routes
    .map((route) => textOf(child(route, "match")?.["prefix"] ?? child(route, "match")?.["path"]) || "/*")
    .join(",");
}
