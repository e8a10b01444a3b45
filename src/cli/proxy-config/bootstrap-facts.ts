import type { ProxyConfigFlags } from "../commands/proxy-config-flags.ts";
import { type ConfigDump, child, textOf } from "../envoy-config-dump.ts";
import type { Facts } from "../output/print-facts.ts";

export function bootstrapFacts(dump: ConfigDump, _flags: ProxyConfigFlags): Facts {
  const bootstrap = child(dump.section("BootstrapConfigDump"), "bootstrap");
  const node = child(bootstrap, "node");
  const metadata = child(node, "metadata");
  const rows = [
    ["node", textOf(node?.["id"])],
    ["cluster", textOf(metadata?.["CLUSTER_ID"])],
    ["network", textOf(metadata?.["NETWORK"])],
    ["mesh", textOf(metadata?.["MESH_ID"])],
    ["version", textOf(metadata?.["ISTIO_VERSION"])],
  ];
  return { head: ["FIELD", "VALUE"], rows, data: bootstrap ?? {} };
}
