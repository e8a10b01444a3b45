// Everything that writes into the store: the own cluster, its configuration, and the clusters that secrets name.
import { NAMES, withRevision } from "#api/constants/names";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { type ClusterWatch, watchCluster } from "#ingest/cluster-watch";
import { watchConfig } from "#ingest/config-watch";
import { followGatewayHosts, type ResolveHost } from "#ingest/gateway-hosts";
import type { MeshStore } from "#ingest/mesh-store";
import { type RemoteClusterStatus, type RemoteClusters, watchRemoteClusters } from "#ingest/remote-clusters";
import type { KubeClient } from "#kube/kube-client";
import { clusterId } from "#model/ids";

export interface MeshWatchOptions {
  readonly client: KubeClient;
  readonly createRemoteClient: (kubeconfig: string) => KubeClient;
  readonly store: MeshStore;
  readonly clusterId: string;
  readonly revision: string;
  readonly remoteTimeoutMs: number;
  /** Undefined when gateways with host names are not to be used. */
  readonly resolveHost: ResolveHost | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

export interface MeshWatch {
  readonly own: ClusterWatch;
  readonly remoteClusters: RemoteClusters;
  /** Undefined once proxies may be served, else what is waited for. Stays undefined from then on. */
  whyNotReady(): string | undefined;
  /** The client of a cluster of this mesh. */
  clientOf(cluster: string): KubeClient | undefined;
  /** Calls back with each change of a remote cluster's status or root. */
  onRemoteChange(listener: (statuses: readonly RemoteClusterStatus[]) => void): void;
}

export function watchMesh(options: MeshWatchOptions): MeshWatch {
  const { client, store, clock, logger, signal } = options;
  const listeners = new Set<(statuses: readonly RemoteClusterStatus[]) => void>();
  const common = { client, store, clock, logger, signal };
  const own = watchCluster({ ...common, clusterId: clusterId(options.clusterId) });
  const meshConfigMap = withRevision(NAMES.meshConfigMap, options.revision);
  const config = watchConfig({ ...common, meshConfigMap });
  const remoteClusters = watchRemoteClusters({
    ...common,
    createClient: options.createRemoteClient,
    timeoutMs: options.remoteTimeoutMs,
    onChange: (statuses) => {
      for (const listener of listeners) listener(statuses);
    },
  });
  const { resolveHost } = options;
  const hosts = resolveHost === undefined ? undefined : followGatewayHosts({ ...common, resolve: resolveHost });
  for (const watch of [own, config]) watch.synced.catch(() => {}); // rejects only when everything ends
  const tokens: readonly (readonly [string, () => boolean])[] = [
    ["the own cluster's services and endpoints", () => own.hasSynced()],
    ["the mesh configuration", () => config.hasSynced()],
    ["remote clusters", () => remoteClusters.hasSettled()],
    ["addresses of gateways with host names", () => hosts?.hasAsked() ?? true],
  ];
  let ready = false;
  return {
    own,
    remoteClusters,
    whyNotReady() {
      if (ready) return undefined;
      const missing = tokens.find(([, isDone]) => !isDone());
      if (missing === undefined) {
        ready = true;
        return undefined;
      }
      const problem = own.problem();
      return `waiting for ${missing[0]}${problem === undefined ? "" : ` (${problem})`}`;
    },
    clientOf: (cluster) => (cluster === options.clusterId ? client : remoteClusters.clientOf(clusterId(cluster))),
    onRemoteChange: (listener) => listeners.add(listener),
  };
}
