// The life of one remote cluster under one kubeconfig: from the secret's value to a synced watch, until it is closed.
import { NAMES } from "#api/constants/names";
import { Kinds } from "#api/kinds";
import type { ConfigMap } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import type { ClusterId } from "#model/ids";
import { checkKubeconfig } from "./check-kubeconfig.ts";
import { type ClusterWatch, watchCluster } from "./cluster-watch.ts";
import type { MeshStore } from "./mesh-store.ts";
import { projectObject } from "./project-object.ts";

export type SyncStatus = "synced" | "syncing" | "timeout" | "closed";

export interface RemoteClusterState {
  readonly syncStatus: SyncStatus;
  /** What is wrong, one sentence, when something is. */
  readonly message?: string;
  /** When the status was reached, milliseconds since the epoch. */
  readonly since: number;
  /** The root certificates that the cluster's workloads trust (PEM), once read. */
  readonly rootPem?: string;
}

export interface RemoteClusterOptions {
  readonly store: MeshStore;
  /** Makes a client from a checked kubeconfig; may throw. */
  readonly createClient: (kubeconfig: string) => KubeClient;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly clock: Clock;
  /** PILOT_REMOTE_CLUSTER_TIMEOUT, default 30 s; 0 waits without end. */
  readonly timeoutMs?: number;
}

interface Hooks {
  /** Just before the first facts are written: the moment to end the watch that this one replaces. */
  readonly onSynced: () => void;
  /** The state or the root changed. */
  readonly onChange: () => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export class RemoteCluster {
  readonly id: ClusterId;
  /** Resolves when it has synced, timed out, failed or closed; never rejects. */
  readonly settled: Promise<void>;
  readonly #options: RemoteClusterOptions;
  readonly #hooks: Hooks;
  readonly #life = new AbortController();
  #settle = () => {};
  #cancelTimeout = () => {};
  #endWithProgram = () => this.close();
  #state: RemoteClusterState;
  #rootPem: string | undefined;
  #client: KubeClient | undefined;

  /** Opens nothing yet. */
  constructor(id: ClusterId, options: RemoteClusterOptions, hooks: Hooks) {
    this.id = id;
    this.#options = options;
    this.#hooks = hooks;
    this.#state = { syncStatus: "syncing", since: options.clock.now() };
    this.settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  get state(): RemoteClusterState {
    return this.#rootPem === undefined ? this.#state : { ...this.#state, rootPem: this.#rootPem };
  }

  /** Its client, as long as it is open; undefined when the kubeconfig was refused. */
  get client(): KubeClient | undefined {
    return this.#life.signal.aborted ? undefined : this.#client;
  }

  /** Checks the kubeconfig, makes a client and starts to watch. A bad kubeconfig is a state, not an exception. */
  open(kubeconfig: string): void {
    const { signal, logger, createClient } = this.#options;
    signal.addEventListener("abort", this.#endWithProgram, { once: true });
    try {
      checkKubeconfig(kubeconfig);
      this.#client = createClient(kubeconfig);
      this.#follow(this.#client);
    } catch (thrown) {
      logger.error({ cluster: this.id, error: errorMessage(thrown) }, "remote cluster refused");
      this.#set("closed", errorMessage(thrown));
    }
  }

  /** Ends its watches; what it wrote stays until someone drops or replaces it. May be called twice. */
  close(): void {
    this.#options.signal.removeEventListener("abort", this.#endWithProgram);
    this.#cancelTimeout();
    this.#state = { ...this.#state, syncStatus: "closed" };
    this.#settle();
    this.#life.abort();
  }

  #follow(client: KubeClient): void {
    const { store, clock, logger } = this.#options;
    const { signal } = this.#life;
    const watch = watchCluster({
      client,
      clusterId: this.id,
      store,
      signal,
      clock,
      logger: logger.child({ cluster: this.id }),
      onSynced: this.#hooks.onSynced,
      onProblem: (problem) => this.#onProblem(problem),
    });
    watch.synced.then(
      () => {
        this.#cancelTimeout();
        this.#set("synced");
      },
      () => {}, // only an abort rejects, and close has set the state
    );
    this.#watchTimeout(watch);
    this.#followRoot(client);
    signal.addEventListener("abort", () => void client.close().catch(() => {}), { once: true });
  }

  #watchTimeout(watch: ClusterWatch): void {
    const timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    if (timeoutMs === 0) return;
    this.#cancelTimeout = this.#options.clock.schedule(timeoutMs, () => {
      const why = watch.problem() === undefined ? "" : ` (${watch.problem()})`;
      this.#options.logger.warn({ cluster: this.id, timeoutMs, problem: watch.problem() }, "remote cluster timed out");
      this.#set(
        "timeout",
        `not synced within ${timeoutMs / 1000} s${why}; trying on while the mesh goes on without it`,
      );
    });
  }

  /** After the first sync a silent API server keeps its endpoints: they may well live on. */
  #onProblem(problem: string | undefined): void {
    if (this.#life.signal.aborted) return;
    const message = problem === undefined ? undefined : `the API server does not answer: ${problem}`;
    this.#set(this.#state.syncStatus, message);
  }

  /** The root that the remote cluster's workloads trust, so that a person can be told when it is not ours. */
  #followRoot(client: KubeClient): void {
    const { store, logger, clock } = this.#options;
    startInformer<ConfigMap>({
      client,
      signal: this.#life.signal,
      logger,
      clock,
      type: Kinds.ConfigMap,
      namespace: store.current.mesh.systemNamespace,
      fieldSelector: `metadata.name=${NAMES.rootCertConfigMap}`,
      project: projectObject,
      onChange: ({ type, object }) => {
        this.#rootPem = type === "DELETED" ? undefined : object.data?.[NAMES.rootCertKey];
        this.#hooks.onChange();
      },
    });
  }

  #set(syncStatus: SyncStatus, message?: string): void {
    const since = this.#state.syncStatus === syncStatus ? this.#state.since : this.#options.clock.now();
    this.#state = { syncStatus, since, ...(message === undefined ? {} : { message }) };
    if (syncStatus !== "syncing") this.#settle();
    this.#hooks.onChange();
  }
}
