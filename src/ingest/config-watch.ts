import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import type { KubeClient } from "#kube/kube-client";
import type { MeshStore } from "./mesh-store.ts";

export interface ConfigWatchOptions {
  /** Client of the own cluster. */
  readonly client: KubeClient;
  readonly store: MeshStore;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface ConfigWatch {
  /** Resolves when the mesh configuration and every kind that exists are in the store. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
}

/** Watches the own cluster's mesh configuration and Istio objects. A kind without CRD is waited for. */
export function watchConfig(_options: ConfigWatchOptions): ConfigWatch {
  throw new Error("not yet");
}
