import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { KubeClient } from "#kube/kube-client";
import type { ClusterId } from "#model/ids";
import type { MeshStore } from "./mesh-store.ts";

export type SyncStatus = "synced" | "syncing" | "timeout" | "closed";

export interface RemoteClusterStatus {
  readonly id: ClusterId;
  /** `istio-system/istio-remote-secret-cluster2`. */
  readonly secretName: string;
  readonly syncStatus: SyncStatus;
  /** What is wrong, one sentence, when something is. */
  readonly message?: string;
  /** When the status was reached, milliseconds since the epoch. */
  readonly since: number;
  /** The root certificates that the cluster's workloads trust (PEM), once read. */
  readonly rootPem?: string;
}

export interface RemoteClustersOptions {
  /** Client of the own cluster, which holds the remote secrets. */
  readonly client: KubeClient;
  readonly store: MeshStore;
  /** Makes a client from a checked kubeconfig; may throw. */
  readonly createClient: (kubeconfig: string) => KubeClient;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  /** PILOT_REMOTE_CLUSTER_TIMEOUT, default 30 s; 0 waits without end. */
  readonly timeoutMs?: number;
  /** Called whenever a status or a root changes. */
  readonly onChange?: (status: readonly RemoteClusterStatus[]) => void;
}

export interface RemoteClusters {
  /** Every cluster that a remote secret names, in order of ids. */
  status(): readonly RemoteClusterStatus[];
  /** Resolves when each cluster of the first list has synced, timed out or failed: readiness may go on. */
  readonly settled: Promise<void>;
  hasSettled(): boolean;
}

/** Watches remote secrets and keeps one cluster watch for each cluster they name. */
export function watchRemoteClusters(_options: RemoteClustersOptions): RemoteClusters {
  throw new Error("not yet");
}
