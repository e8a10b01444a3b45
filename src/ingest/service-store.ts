import type { ClusterId, ServiceKey } from "#model/ids";
import type { MeshChange } from "#model/mesh-change";
import { sameFacts } from "#model/same-facts";
import { type ClusterService, mergeServices, type Service } from "#model/service";

/** What every cluster says of every service, and their merge. */
export class ServiceStore {
  readonly #own: ClusterId;
  readonly #parts = new Map<ServiceKey, Map<ClusterId, ClusterService>>();
  readonly #merged = new Map<ServiceKey, Service>();
  #snapshot: ReadonlyMap<ServiceKey, Service> | undefined;

  constructor(own: ClusterId) {
    this.#own = own;
  }

  /** A copy that nobody changes; the same object until something changes. */
  get services(): ReadonlyMap<ServiceKey, Service> {
    this.#snapshot ??= new Map(this.#merged);
    return this.#snapshot;
  }

  apply(cluster: ClusterId, key: ServiceKey, value: ClusterService | undefined): readonly MeshChange[] {
    const parts = this.#parts.get(key) ?? new Map<ClusterId, ClusterService>();
    if (sameFacts(parts.get(cluster), value)) return [];
    if (value === undefined) parts.delete(cluster);
    else parts.set(cluster, Object.freeze(value));
    if (parts.size === 0) this.#parts.delete(key);
    else this.#parts.set(key, parts);
    const merged = mergeServices(parts.values(), this.#own);
    if (merged === undefined) this.#merged.delete(key);
    else this.#merged.set(key, merged);
    this.#snapshot = undefined;
    return [{ kind: "service", service: key }];
  }

  keysOf(cluster: ClusterId): readonly ServiceKey[] {
    return [...this.#parts].flatMap(([key, parts]) => (parts.has(cluster) ? [key] : []));
  }
}
