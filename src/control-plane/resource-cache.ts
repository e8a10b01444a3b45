// Sidecars of one kind read the same configuration: it is built once for a snapshot, and all of them share its bytes.
import type { XdsType } from "#envoy/types";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { MeshProxy } from "#model/proxy";
import type { GeneratedResource } from "#xds/generated-resource";
import type { ProxyView } from "#xds/proxy-view";

export interface ResourceCacheOptions {
  readonly view: (snapshot: MeshSnapshot, proxy: MeshProxy) => ProxyView;
  /** Hostnames of services that the proxy serves and whose endpoints tell its own ports; usually none. */
  readonly ownEndpoints: (view: ProxyView) => readonly string[];
  readonly generate: (view: ProxyView, type: XdsType, names?: ReadonlySet<string>) => readonly GeneratedResource[];
}

interface SharedView {
  readonly view: ProxyView;
  readonly ownEndpoints: readonly string[];
  readonly whole: Map<XdsType, readonly GeneratedResource[]>;
  /** By type and name; undefined for a name that leads to nothing. */
  readonly single: Map<string, GeneratedResource | undefined>;
}

/** Holds what was built for the newest snapshot only. */
export class ResourceCache {
  readonly #options: ResourceCacheOptions;
  #snapshot: MeshSnapshot | undefined;
  #views = new Map<string, SharedView>();
  /** A proxy never changes, so its key is made once. */
  readonly #keys = new WeakMap<MeshProxy, string>();

  constructor(options: ResourceCacheOptions) {
    this.#options = options;
  }

  view(snapshot: MeshSnapshot, proxy: MeshProxy): ProxyView {
    return this.#shared(snapshot, proxy).view;
  }

  ownEndpoints(snapshot: MeshSnapshot, proxy: MeshProxy): readonly string[] {
    return this.#shared(snapshot, proxy).ownEndpoints;
  }

  /** `names` undefined: all of the type. */
  read(
    snapshot: MeshSnapshot,
    proxy: MeshProxy,
    wanted: { readonly type: XdsType; readonly names: readonly string[] | undefined },
  ): readonly GeneratedResource[] {
    const shared = this.#shared(snapshot, proxy);
    return wanted.names === undefined
      ? this.#readAll(shared, wanted.type)
      : this.#readSome(shared, wanted.type, wanted.names);
  }

  #readAll(shared: SharedView, type: XdsType): readonly GeneratedResource[] {
    const known = shared.whole.get(type);
    if (known !== undefined) return known;
    const built = this.#options.generate(shared.view, type);
    shared.whole.set(type, built);
    return built;
  }

  #readSome(shared: SharedView, type: XdsType, names: readonly string[]): readonly GeneratedResource[] {
    const missing = names.filter((name) => !shared.single.has(`${type} ${name}`));
    if (missing.length > 0) {
      for (const name of missing) shared.single.set(`${type} ${name}`, undefined);
      for (const resource of this.#options.generate(shared.view, type, new Set(missing))) {
        shared.single.set(`${type} ${resource.name}`, resource);
      }
    }
    return names.flatMap((name) => shared.single.get(`${type} ${name}`) ?? []);
  }

  #shared(snapshot: MeshSnapshot, proxy: MeshProxy): SharedView {
    if (this.#snapshot !== snapshot) {
      this.#snapshot = snapshot;
      this.#views = new Map();
    }
    const key = this.#keyOf(proxy);
    const shared = this.#views.get(key) ?? this.#build(key, snapshot, proxy);
    if (shared.ownEndpoints.length === 0) return shared;
    // Its ports are found by its own address, so nobody else may share what is built for it.
    const own = `${key} ${proxy.ips.join()}`;
    return this.#views.get(own) ?? this.#build(own, snapshot, proxy);
  }

  #build(key: string, snapshot: MeshSnapshot, proxy: MeshProxy): SharedView {
    const view = this.#options.view(snapshot, proxy);
    const shared = { view, ownEndpoints: this.#options.ownEndpoints(view), whole: new Map(), single: new Map() };
    this.#views.set(key, shared);
    return shared;
  }

  #keyOf(proxy: MeshProxy): string {
    let key = this.#keys.get(proxy);
    if (key === undefined) {
      key = viewKey(proxy);
      this.#keys.set(proxy, key);
    }
    return key;
  }
}

/** Everything of a proxy but who it is: replicas of one Deployment on one node are equal. */
export function viewKey(proxy: MeshProxy): string {
  const { id: _id, name: _name, ips, ...rest } = proxy;
  return JSON.stringify([ips.map((address) => (address.includes(":") ? 6 : 4)), rest]);
}
