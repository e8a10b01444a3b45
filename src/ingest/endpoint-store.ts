import { type Endpoint, type EndpointIndex, type EndpointShards, identitiesOf } from "#model/endpoint";
import type { ClusterId, ServiceKey } from "#model/ids";
import type { MeshChange } from "#model/mesh-change";
import { sameFacts } from "#model/same-facts";

const NO_SHARDS: EndpointShards = new Map();

/** Endpoint shards: a cluster writes its own only. An endpoint that did not change stays the same object. */
export class EndpointStore {
  readonly #shards = new Map<ServiceKey, EndpointShards>();
  #snapshot: EndpointIndex | undefined;

  /** A copy that nobody changes; the same object until something changes. */
  get index(): EndpointIndex {
    this.#snapshot ??= new Map(this.#shards);
    return this.#snapshot;
  }

  apply(cluster: ClusterId, service: ServiceKey, value: readonly Endpoint[]): readonly MeshChange[] {
    const before = this.#shards.get(service) ?? NO_SHARDS;
    const shard = keepUnchanged(before.get(cluster) ?? [], value);
    if (shard === undefined) return [];
    const after = new Map(before);
    if (shard.length === 0) after.delete(cluster);
    else after.set(cluster, shard);
    if (after.size === 0) this.#shards.delete(service);
    else this.#shards.set(service, sortClusters(after));
    this.#snapshot = undefined;
    const identitiesChanged = !sameFacts(identitiesOf(before), identitiesOf(after));
    return [{ kind: "endpoints", service, cluster, identitiesChanged }];
  }

  of(cluster: ClusterId, service: ServiceKey): readonly Endpoint[] {
    return this.#shards.get(service)?.get(cluster) ?? [];
  }

  keysOf(cluster: ClusterId): readonly ServiceKey[] {
    return [...this.#shards].flatMap(([key, shards]) => (shards.has(cluster) ? [key] : []));
  }
}

/** The new shard with old objects for equal endpoints; undefined when nothing changed. */
function keepUnchanged(before: readonly Endpoint[], value: readonly Endpoint[]): readonly Endpoint[] | undefined {
  const known = new Map(before.map((endpoint) => [endpoint.addresses[0], endpoint]));
  const shard = value.map((endpoint) => {
    const old = known.get(endpoint.addresses[0]);
    return old !== undefined && sameFacts(old, endpoint) ? old : Object.freeze(endpoint);
  });
  const same = shard.length === before.length && shard.every((endpoint, i) => endpoint === before[i]);
  return same ? undefined : Object.freeze(shard);
}

/** Shards in order of cluster ids, so that the order of events leaves no trace. */
function sortClusters(shards: EndpointShards): EndpointShards {
  return new Map([...shards].sort(([a], [b]) => (a < b ? -1 : 1)));
}
