import { join } from "node:path";
import { API_SERVER_PORT, type PlaygroundLayout } from "../network/layout.ts";
import type { ProcessIdentity } from "./host-process.ts";
import { pathsBelow } from "./playground-paths.ts";
import type { ClusterStatus, PlaygroundStatus } from "./playground-status.ts";
import type { SupervisorConfig } from "./supervisor-config.ts";

export function initialStatus(
  config: SupervisorConfig,
  processes: { supervisor: ProcessIdentity; guard: ProcessIdentity } | undefined,
): PlaygroundStatus {
  const paths = pathsBelow(config.name, config.stateDir);
  return {
    name: config.name,
    phase: "starting",
    stateDir: config.stateDir,
    kubeconfig: paths.kubeconfig,
    topology: config.topologyFile,
    commonRoot: config.commonRoot,
    engine: config.engine,
    nodes: config.nodes,
    startedAt: new Date().toISOString(),
    ...(processes ?? {}),
    clusters: [],
    phases: [],
    supervisorLog: join(paths.logsDir, "supervisor.log"),
  };
}

/** Every cluster before its programs run. */
export function statusOfClusters(config: SupervisorConfig, layout: PlaygroundLayout): readonly ClusterStatus[] {
  const { logsDir } = pathsBelow(config.name, config.stateDir);
  return layout.clusters.map((cluster) => ({
    name: cluster.name,
    context: cluster.name,
    network: cluster.network,
    apiServer: `https://${cluster.address}:${API_SERVER_PORT}`,
    nodeName: cluster.nodeName,
    pids: {},
    address: cluster.address,
    loadBalancerRange: cluster.loadBalancerRange,
    podCIDR: cluster.podCIDR,
    serviceCIDR: cluster.serviceCIDR,
    ...(cluster.ipv6 === undefined ? {} : { ipv6: cluster.ipv6 }),
    region: cluster.region,
    zone: cluster.zone,
    state: "starting",
    logs: { cluster: join(logsDir, `${cluster.name}-cluster.log`), node: join(logsDir, `${cluster.name}-node.log`) },
  }));
}
