import { type ConfigDump, child, type Json, listOf } from "../envoy-config-dump.ts";

/** Static and dynamic clusters of a dump together. */
export function clustersOf(dump: ConfigDump): Json[] {
  const section = dump.section("ClustersConfigDump");
  return below([...listOf(section?.["static_clusters"]), ...listOf(section?.["dynamic_active_clusters"])], "cluster");
}

export function listenersOf(dump: ConfigDump): Json[] {
  const section = dump.section("ListenersConfigDump");
  const fixed = below(listOf(section?.["static_listeners"]), "listener");
  return [...fixed, ...below(listOf(section?.["dynamic_listeners"]), "active_state", "listener")];
}

export function routesOf(dump: ConfigDump): Json[] {
  const section = dump.section("RoutesConfigDump");
  return below(
    [...listOf(section?.["static_route_configs"]), ...listOf(section?.["dynamic_route_configs"])],
    "route_config",
  );
}

function below(entries: readonly Json[], ...path: readonly string[]): Json[] {
  return entries.map((entry) => child(entry, ...path)).filter((found) => found !== undefined);
}
