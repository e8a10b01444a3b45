import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { KubeClient } from "#kube/kube-client";
import type { ClusterId } from "#model/ids";
import type { MeshStore } from "./mesh-store.ts";

export interface ClusterWatchOptions {
  readonly client: KubeClient;
  readonly clusterId: ClusterId;
  readonly store: MeshStore;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Called when everything is listed, just before the first facts are written. */
  readonly onSynced?: () => void;
}

export interface ClusterWatch {
  /** Resolves when the facts of the first lists are in the store; rejects when the signal aborts before. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
  /** Why the API server does not answer now; undefined when it does. */
  problem(): string | undefined;
}

/** Watches one cluster's namespaces, services, endpoint slices, pods and nodes, and keeps its shards in the store. */
export function watchCluster(_options: ClusterWatchOptions): ClusterWatch {
  throw new Error("not yet");
}
