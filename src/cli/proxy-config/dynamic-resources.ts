import { type ConfigDump, child, type Json, listOf } from "../envoy-config-dump.ts";

/** Static and dynamic resources of one section together: the `field` of each entry, such as `cluster`. */
export function clustersOf(dump: ConfigDump): Json[] {
  const section = dump.section("ClustersConfigDump");
  return [...listOf(section?.["static_clusters"]), ...listOf(section?.["dynamic_active_clusters"])].flatMap(
    (entry) => child(entry, "cluster") ?? [],
  );
}

export function listenersOf(dump: ConfigDump): Json[] {
  const section = dump.section("ListenersConfigDump");
  const dynamic = listOf(section?.["dynamic_listeners"]).flatMap(
    (entry) => child(entry, "active_state", "listener") ?? [],
  );
  return [...listOf(section?.["static_listeners"]).flatMap((entry) => child(entry, "listener") ?? []), ...dynamic];
}

export function routesOf(dump: ConfigDump): Json[] {
  const section = dump.section("RoutesConfigDump");
  return [...listOf(section?.["static_route_configs"]), ...listOf(section?.["dynamic_route_configs"])].flatMap(
    (entry) => child(entry, "route_config") ?? [],
  );
}
