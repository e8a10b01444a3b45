// The one place where facts become snapshots. Facts are compared before they travel: equal facts make no change.
import { defaultMeshConfig, type MeshConfig } from "#api/mesh-config/mesh-config";
import type { MeshNetworks } from "#api/mesh-config/mesh-networks";
import type { Clock } from "#base/clock";
import type { ClusterId } from "#model/ids";
import { type MeshChange, mergeChanges } from "#model/mesh-change";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import { sameFacts } from "#model/same-facts";
import { EndpointStore } from "./endpoint-store.ts";
import type { ClusterFact, ConfigFact, HostAddresses, ObjectProblem } from "./fact.ts";
import { GatewayStore } from "./gateway-store.ts";
import { PolicyStore } from "./policy-store.ts";
import { ServiceStore } from "./service-store.ts";

export interface MeshStoreOptions {
  readonly ownCluster: ClusterId;
  readonly systemNamespace: string;
  /** DNS suffix of Kubernetes services. */
  readonly domain: string;
  readonly clock: Clock;
}

/** What a subscriber hears at the end of a tick in which something changed. */
export interface Publication {
  readonly changes: readonly MeshChange[];
  readonly snapshot: MeshSnapshot;
  /** When the first of these facts was observed, milliseconds since the epoch. */
  readonly observedAt: number;
}

export class MeshStore {
  readonly #options: MeshStoreOptions;
  readonly #services: ServiceStore;
  readonly #endpoints = new EndpointStore();
  readonly #gateways = new GatewayStore((cluster, service) => this.#endpoints.of(cluster, service));
  readonly #policies = new PolicyStore();
  readonly #problems = new Map<string, ObjectProblem>();
  readonly #listeners = new Set<(publication: Publication) => void>();
  #config: MeshConfig = defaultMeshConfig();
  #meshNetworks: MeshNetworks = [];
  #snapshot: MeshSnapshot;
  #stale = false;
  #pending: { changes: readonly MeshChange[]; observedAt: number } | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: MeshStoreOptions) {
    this.#options = options;
    this.#services = new ServiceStore(options.ownCluster);
    this.#snapshot = this.#build(0, undefined);
  }

  /** The newest snapshot; facts applied before this call are in it. */
  get current(): MeshSnapshot {
    if (this.#stale) {
      this.#stale = false;
      this.#snapshot = this.#build(this.#snapshot.generation + 1, this.#snapshot);
    }
    return this.#snapshot;
  }

  /** Takes facts of one cluster; returns what changed. Subscribers hear of it at the end of the tick. */
  applyCluster(cluster: ClusterId, facts: readonly ClusterFact[]): readonly MeshChange[] {
    return this.#publishLater(facts.flatMap((fact) => this.#applyClusterFact(cluster, fact)));
  }

  /** Takes all facts of a cluster at once: what it said before and does not say now is dropped. */
  replaceCluster(cluster: ClusterId, facts: readonly ClusterFact[]): readonly MeshChange[] {
    const said = new Set(facts.map(factKey));
    const gone = this.#factsOf(cluster).filter((fact) => !said.has(factKey(fact)));
    return this.applyCluster(cluster, [...gone, ...facts]);
  }

  /** Forgets all that a cluster said. */
  dropCluster(cluster: ClusterId): readonly MeshChange[] {
    for (const [key, problem] of this.#problems) if (problem.cluster === cluster) this.#problems.delete(key);
    return this.replaceCluster(cluster, []);
  }

  /** Takes configuration of the own cluster. */
  applyConfig(facts: readonly ConfigFact[]): readonly MeshChange[] {
    return this.#publishLater(facts.flatMap((fact) => this.#applyConfigFact(fact)));
  }

  /** Host names that are addresses of gateways. */
  gatewayHosts(): ReadonlySet<string> {
    return this.#gateways.hosts();
  }

  /** Takes what DNS says of such a host; undefined forgets it. */
  applyGatewayHost(host: string, value: HostAddresses | undefined): readonly MeshChange[] {
    return this.#publishLater(this.#gateways.applyHost(host, value));
  }

  /** Notes that an object was refused, or with undefined that it is good or gone. */
  noteProblem(cluster: ClusterId, object: string, message: string | undefined): void {
    const key = `${cluster} ${object}`;
    const before = this.#problems.get(key);
    if (message === undefined) this.#problems.delete(key);
    else if (before?.message !== message) {
      this.#problems.set(key, { cluster, object, message, since: this.#options.clock.now() });
    }
  }

  /** Objects that are refused now, for debug pages. */
  problems(): readonly ObjectProblem[] {
    return [...this.#problems.values()];
  }

  /** Calls back once a tick with what changed. The returned function ends it and may be called twice. */
  subscribe(listener: (publication: Publication) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Publishes now what is pending, for tests and for the end of a start. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    const publication = Object.freeze({ ...pending, snapshot: this.current });
    for (const listener of [...this.#listeners]) listener(publication);
  }

  #applyClusterFact(cluster: ClusterId, fact: ClusterFact): readonly MeshChange[] {
    if (fact.kind === "service") return this.#services.apply(cluster, fact.service, fact.value);
    if (fact.kind === "endpoints") {
      const changes = this.#endpoints.apply(cluster, fact.service, fact.value);
      return changes.length === 0 ? changes : [...changes, ...this.#gateways.applyEndpoints(cluster, fact.service)];
    }
    return this.#gateways.apply(cluster, fact.source, fact.value);
  }

  #applyConfigFact(fact: ConfigFact): readonly MeshChange[] {
    if (fact.kind === "policy") return this.#policies.apply(fact);
    if (fact.kind === "mesh-config") {
      if (sameFacts(this.#config, fact.value)) return [];
      this.#config = fact.value;
      return [{ kind: "mesh" }];
    }
    if (sameFacts(this.#meshNetworks, fact.value)) return [];
    this.#meshNetworks = fact.value;
    return [{ kind: "mesh" }];
  }

  #factsOf(cluster: ClusterId): readonly ClusterFact[] {
    return [
      ...this.#services.keysOf(cluster).map((service) => ({ kind: "service", service, value: undefined }) as const),
      ...this.#endpoints.keysOf(cluster).map((service) => ({ kind: "endpoints", service, value: [] }) as const),
      ...this.#gateways.sourcesOf(cluster).map((source) => ({ kind: "gateways", source, value: undefined }) as const),
    ];
  }

  #publishLater(changes: readonly MeshChange[]): readonly MeshChange[] {
    if (changes.length === 0) return changes;
    this.#stale = true;
    const { clock } = this.#options;
    this.#pending =
      this.#pending === undefined
        ? { changes: mergeChanges([], changes), observedAt: clock.now() }
        : { ...this.#pending, changes: mergeChanges(this.#pending.changes, changes) };
    this.#cancel ??= clock.schedule(0, () => this.flush());
    return changes;
  }

  #build(generation: number, before: MeshSnapshot | undefined): MeshSnapshot {
    const { ownCluster, systemNamespace, domain } = this.#options;
    const [config, meshNetworks] = [this.#config, this.#meshNetworks];
    const sameMesh = before?.mesh.config === config && before.mesh.meshNetworks === meshNetworks;
    return Object.freeze({
      mesh: sameMesh ? before.mesh : Object.freeze({ config, meshNetworks, ownCluster, systemNamespace, domain }),
      networks: this.#gateways.networks,
      services: this.#services.services,
      endpoints: this.#endpoints.index,
      policies: this.#policies.policies,
      generation,
    });
  }
}

function factKey(fact: ClusterFact): string {
  return `${fact.kind} ${fact.kind === "gateways" ? fact.source : fact.service}`;
}
