// Remote secrets: each data key is a cluster id, each value a kubeconfig. A changed value is made before the old one is
// broken, a bad one is reported and not retried, and no cluster waits for another.
import { LABELS } from "#api/constants/labels";
import { Kinds } from "#api/kinds";
import type { Secret } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import { contentHash } from "#base/content-hash";
import { type InformerChange, startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import { type ClusterId, clusterId } from "#model/ids";
import { childSignal } from "./child-signal.ts";
import { RemoteCluster, type RemoteClusterOptions, type RemoteClusterState } from "./remote-cluster.ts";

export interface RemoteClusterStatus extends RemoteClusterState {
  readonly id: ClusterId;
  /** `istio-system/istio-remote-secret-cluster2`. */
  readonly secretName: string;
}

export interface RemoteClustersOptions extends RemoteClusterOptions {
  /** Client of the own cluster, which holds the remote secrets. */
  readonly client: KubeClient;
  /** Called whenever a status or a root changes. */
  readonly onChange?: (status: readonly RemoteClusterStatus[]) => void;
}

export interface RemoteClusters {
  /** Every cluster that a remote secret names, in order of ids. */
  status(): readonly RemoteClusterStatus[];
  /** The client of a cluster that a secret names; the one before until a new kubeconfig has proved good. */
  clientOf(id: ClusterId): KubeClient | undefined;
  /** Resolves when each cluster of the first list has synced, timed out or failed: readiness may go on. */
  readonly settled: Promise<void>;
  hasSettled(): boolean;
}

/** Watches remote secrets and keeps one cluster watch for each cluster they name. */
export function watchRemoteClusters(given: RemoteClustersOptions): RemoteClusters {
  const options = { ...given, signal: childSignal(given.signal) };
  const registry = new Registry(options);
  let done = false;
  const { client, signal, logger, clock, store } = options;
  const informer = startInformer<Secret>({
    client,
    signal,
    logger,
    clock,
    type: Kinds.Secret,
    namespace: store.current.mesh.systemNamespace,
    labelSelector: `${LABELS.multiCluster}=true`,
    onChange: (change) => registry.onSecret(change),
  });
  const settled = informer.synced
    .then(() => registry.settled())
    .then(() => {
      done = true;
    });
  settled.catch(() => {}); // an abort before the first list is no failure of anyone
  return {
    status: () => registry.status(),
    clientOf: (id) => registry.clientOf(id),
    settled,
    hasSettled: () => done,
  };
}

interface Entry {
  readonly secretName: string;
  readonly hash: string;
  readonly current: RemoteCluster;
  /** Still serving its endpoints until `current` has synced. */
  readonly previous: RemoteCluster | undefined;
}

/** While a former value serves on, whoever reads that the new one is not in use should know what is. */
function stateOf({ current, previous }: Entry): RemoteClusterState {
  const { state } = current;
  if (previous === undefined || previous.state.syncStatus !== "synced") return state;
  const message = [state.message, "the former value of the secret stays in use"].filter(Boolean).join("; ");
  return { ...previous.state, ...state, message };
}

class Registry {
  readonly #options: RemoteClustersOptions;
  readonly #entries = new Map<ClusterId, Entry>();
  /** The secrets as they are now, to find another one that names a cluster whose secret went away. */
  readonly #secrets = new Map<string, Secret>();

  constructor(options: RemoteClustersOptions) {
    this.#options = options;
  }

  status(): readonly RemoteClusterStatus[] {
    const entries = [...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.map(([id, entry]) => ({ id, secretName: entry.secretName, ...stateOf(entry) }));
  }

  clientOf(id: ClusterId): KubeClient | undefined {
    const entry = this.#entries.get(id);
    return entry?.previous?.client ?? entry?.current.client;
  }

  async settled(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ current }) => current.settled));
  }

  onSecret({ type, object }: InformerChange<Secret>): void {
    const secretName = objectKey(object);
    if (type === "DELETED") this.#secrets.delete(secretName);
    else this.#secrets.set(secretName, object);
    const data = type === "DELETED" ? {} : (object.data ?? {});
    const gone = [...this.#entries].filter(([id, entry]) => entry.secretName === secretName && data[id] === undefined);
    for (const [id] of gone) this.#remove(id);
    this.#addAll(secretName, data);
    // A cluster may be named by a second secret, which had lost against this one.
    if (gone.length > 0) for (const [name, other] of this.#secrets) this.#addAll(name, other.data ?? {}, true);
    this.#changed();
  }

  #addAll(secretName: string, data: Readonly<Record<string, string>>, quiet = false): void {
    for (const [key, value] of Object.entries(data).sort(([a], [b]) => (a < b ? -1 : 1))) {
      this.#add(clusterId(key), secretName, value, quiet);
    }
  }

  #add(id: ClusterId, secretName: string, value: string, quiet: boolean): void {
    const { logger, store } = this.#options;
    if (id === store.current.mesh.ownCluster) {
      if (!quiet) logger.info({ cluster: id, secretName }, "remote secret names the own cluster: ignored");
      return;
    }
    const before = this.#entries.get(id);
    if (before !== undefined && before.secretName !== secretName) {
      if (!quiet)
        logger.warn({ cluster: id, secretName, usedSecret: before.secretName }, "cluster has a secret already");
      return;
    }
    const kubeconfig = Buffer.from(value, "base64").toString("utf8");
    const hash = contentHash(kubeconfig);
    if (before?.hash === hash) return;
    const cluster: RemoteCluster = new RemoteCluster(id, this.#options, {
      onSynced: () => this.#release(id, cluster),
      onChange: () => this.#changed(),
    });
    this.#entries.set(id, { secretName, hash, current: cluster, previous: this.#keptOf(before) });
    logger.info({ cluster: id, secretName, replaces: before !== undefined }, "remote cluster added");
    cluster.open(kubeconfig);
  }

  /** Of two watches that were never made, only the one that has written endpoints is worth keeping. */
  #keptOf(before: Entry | undefined): RemoteCluster | undefined {
    if (before === undefined) return undefined;
    const { current, previous } = before;
    if (previous === undefined) return current;
    current.close();
    return previous;
  }

  /** The new watch has all it needs: the old one must not write any more. An old one that syncs late releases nobody. */
  #release(id: ClusterId, synced: RemoteCluster): void {
    const entry = this.#entries.get(id);
    if (entry?.previous === undefined || entry.current !== synced) return;
    entry.previous.close();
    this.#entries.set(id, { ...entry, previous: undefined });
  }

  #remove(id: ClusterId): void {
    const entry = this.#entries.get(id);
    entry?.previous?.close();
    entry?.current.close();
    this.#entries.delete(id);
    this.#options.store.dropCluster(id);
    this.#options.logger.info({ cluster: id, secretName: entry?.secretName }, "remote cluster removed");
  }

  #changed(): void {
    this.#options.onChange?.(this.status());
  }
}
