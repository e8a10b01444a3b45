import { isBrief, type ProxyConfigFlags } from "../commands/proxy-config-flags.ts";
import { type ConfigDump, child, type Json, listOf, textOf } from "../envoy-config-dump.ts";
import type { Facts } from "../output/print-facts.ts";
import { routesOf } from "./dynamic-resources.ts";

const HEAD = ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"];
const SHOWN_DOMAINS = 3;

export function routeFacts(dump: ConfigDump, flags: ProxyConfigFlags): Facts {
  const found = routesOf(dump).filter((config) => flags.name === undefined || config["name"] === flags.name);
  found.sort((a, b) => textOf(a["name"]).localeCompare(textOf(b["name"]), "en", { numeric: true }));
  if (!isBrief(flags)) return { head: HEAD, rows: found.flatMap(rowsOf), data: found };
  const rows = found.map((config) => [textOf(config["name"]), String(listOf(config["virtual_hosts"]).length)]);
  return { head: ["NAME", "VIRTUAL HOSTS"], rows, data: found };
}

function rowsOf(config: Json): string[][] {
  return listOf(config["virtual_hosts"]).flatMap((host) =>
    listOf(host["routes"]).map((route) => [
      textOf(config["name"]),
      textOf(host["name"]),
      domainsOf(host),
      matchOf(route),
      virtualServiceOf(route),
    ]),
  );
}

function domainsOf(host: Json): string {
  const domains = Array.isArray(host["domains"]) ? host["domains"].map(textOf) : [];
  const more = domains.length - SHOWN_DOMAINS;
  return more > 0 ? `${domains.slice(0, SHOWN_DOMAINS).join(", ")} + ${more} more...` : domains.join(", ");
}

function matchOf(route: Json): string {
  const match = child(route, "match");
  if (match?.["path"] !== undefined) return textOf(match["path"]);
  if (match?.["prefix"] !== undefined) return `${textOf(match["prefix"])}*`;
  const regex = child(match, "safe_regex");
  return regex === undefined ? "" : `regex ${textOf(regex["regex"])}`;
}

function virtualServiceOf(route: Json): string {
  const path = textOf(child(route, "metadata", "filter_metadata", "istio")?.["config"]);
  const match = /\/namespaces\/([^/]+)\/virtual-service\/([^/]+)$/.exec(path);
  return match === null ? "" : `${match[2]}.${match[1]}`;
}
