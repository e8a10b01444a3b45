import type { KubeObject } from "#api/kubernetes/object";
import { systemClock } from "#base/clock";
import { silentLogger } from "#base/logger";
import { watchCluster } from "#ingest/cluster-watch";
import { watchConfig } from "#ingest/config-watch";
import { MeshStore } from "#ingest/mesh-store";
import { clusterId } from "#model/ids";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { assertKnownKind, FakeKubeClient } from "./fake-kube-client.ts";

export interface FakeMeshInput {
  /** Cluster whose control plane looks. */
  readonly own: string;
  readonly clusters: Readonly<Record<string, readonly KubeObject[]>>;
}

/** Several API servers in memory, and one control plane's store that watches them by the real way of ingest. */
export class FakeMesh {
  readonly store: MeshStore;
  readonly clients: ReadonlyMap<string, FakeKubeClient>;
  readonly #life = new AbortController();
  readonly #own: string;

  constructor({ own, clusters }: FakeMeshInput) {
    this.#own = own;
    const namesAndObjects = Object.entries(clusters);
    for (const [, objects] of namesAndObjects) for (const object of objects) assertKnownKind(object);
    this.clients = new Map(namesAndObjects.map(([name, objects]) => [name, new FakeKubeClient(objects)]));
    this.store = new MeshStore({
      ownCluster: clusterId(own),
      systemNamespace: "istio-system",
      domain: "cluster.local",
      clock: systemClock,
    });
  }

  /** Resolves when all clusters are read. */
  async start(): Promise<MeshSnapshot> {
    const common = { store: this.store, signal: this.#life.signal, logger: silentLogger(), clock: systemClock };
    const own = this.client(this.#own);
    const watches = [...this.clients].map(([name, client]) =>
      watchCluster({ ...common, client, clusterId: clusterId(name) }),
    );
    await Promise.all([watchConfig({ ...common, client: own }).synced, ...watches.map((watch) => watch.synced)]);
    return this.store.current;
  }

  client(cluster: string): FakeKubeClient {
    const client = this.clients.get(cluster);
    if (client === undefined) throw new Error(`no cluster ${cluster}`);
    return client;
  }

  stop(): void {
    this.#life.abort();
  }
}
