// One kind as the controllers see it: the informer's objects plus our own writes, at once. Reading one's own writes
// replaces Kubernetes' "expectations": a ReplicaSet never makes a pod twice because the watch is late.
import type { ResourceType } from "#api/kinds";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { startInformer } from "#kube/informer";
import { type DeleteOptions, isNotFound, type KubeClient, type PatchOptions } from "#kube/kube-client";
import { identityOf, isBeingDeleted, kubeTime } from "./object-meta.ts";

export interface CacheChange<T> {
  readonly object: T;
  readonly old: T | undefined;
  readonly deleted: boolean;
}

export interface ObjectCacheOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A kind that can be waited for. */
export interface Synced {
  readonly synced: Promise<void>;
}

const FIELD_MANAGER = "kube-controller-manager";

/**
 * Objects are shared and must not be changed in place. Versions are compared as numbers, which the API promises
 * since Kubernetes 1.35.
 */
export class ObjectCache<T extends KubeObject> implements Synced {
  readonly type: ResourceType;
  readonly synced: Promise<void>;
  readonly #options: ObjectCacheOptions;
  readonly #project: (object: T) => T;
  readonly #namespaces = new Map<string, Map<string, T>>();
  readonly #listeners: ((change: CacheChange<T>) => void)[] = [];
  /** uids that we deleted; an event older than our DELETE must not make them look alive. */
  readonly #deleted = new Set<string>();
  #watchedVersion = 0;
  #resolveSynced: () => void = () => {};

  /** `project` keeps less than the whole object, metadata at least; who owns its fields is never kept. */
  constructor(type: ResourceType, options: ObjectCacheOptions, project: (object: T) => T = (object) => object) {
    this.type = type;
    this.#options = options;
    this.#project = (object) => project(withoutManagedFields(object));
    this.synced = new Promise((resolve) => {
      this.#resolveSynced = resolve;
    });
  }

  /** Begins to watch; call once, after the listeners are there. */
  start(signal: AbortSignal): void {
    const { client, logger } = this.#options;
    const informer = startInformer<T>({
      client,
      type: this.type,
      logger,
      signal,
      project: this.#project,
      onChange: ({ type, object }) => this.#onWatched(object, type === "DELETED"),
    });
    informer.synced.then(this.#resolveSynced, () => {
      // Rejected only when the signal aborts before the first list: everything that waits stops by the same signal.
    });
  }

  get(namespace: string, name: string): T | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** By `namespace/name`. */
  getByKey(key: string): T | undefined {
    const slash = key.indexOf("/");
    return slash < 0 ? this.get("", key) : this.get(key.slice(0, slash), key.slice(slash + 1));
  }

  *all(): IterableIterator<T> {
    for (const objects of this.#namespaces.values()) yield* objects.values();
  }

  inNamespace(namespace: string): T[] {
    return [...(this.#namespaces.get(namespace)?.values() ?? [])];
  }

  onChange(listener: (change: CacheChange<T>) => void): void {
    this.#listeners.push(listener);
  }

  /** Asks the API server itself; undefined when the object does not exist. */
  async fetch(namespace: string, name: string): Promise<T | undefined> {
    try {
      const at = namespace === "" ? { name } : { namespace, name };
      return this.#seen(await this.#options.client.get<T>(this.type, at));
    } catch (thrown) {
      if (isNotFound(thrown)) return undefined;
      throw thrown;
    }
  }

  async create(object: T): Promise<T> {
    return this.#seen(await this.#options.client.create(this.type, object, { fieldManager: FIELD_MANAGER }));
  }

  async replace(object: T, subresource?: string): Promise<T> {
    const options = subresource === undefined ? {} : { subresource };
    return this.#seen(
      await this.#options.client.replace(this.type, object, { fieldManager: FIELD_MANAGER, ...options }),
    );
  }

  /** Changes the named object. With a subresource only that part is written. */
  async patch(
    target: T,
    body: unknown,
    options: { type?: PatchOptions["type"]; subresource?: string } = {},
  ): Promise<T> {
    const { namespace, name } = identityOf(target);
    const at = {
      name,
      ...(namespace === "" ? {} : { namespace }),
      ...(options.subresource === undefined ? {} : { subresource: options.subresource }),
    };
    const how: PatchOptions = { type: options.type ?? "merge", fieldManager: FIELD_MANAGER };
    return this.#seen(await this.#options.client.patch<T>(this.type, at, body, how));
  }

  /** Deletes exactly this object (by uid); one that is gone already is no error. */
  async delete(object: T, options: DeleteOptions = {}): Promise<void> {
    const { namespace, name, uid } = identityOf(object);
    try {
      const at = namespace === "" ? { name } : { namespace, name };
      await this.#options.client.delete(this.type, at, { uid, ...options });
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
    const current = this.get(namespace, name);
    if (current === undefined || identityOf(current).uid !== uid) return;
    this.#deleted.add(uid);
    this.#put(current);
  }

  /** An answer of the API server: taken unless the watch has already told something newer. */
  #seen(object: T): T {
    const version = versionOf(object);
    const { namespace, name } = identityOf(object);
    const known = this.get(namespace, name);
    // Unknown though the watch is past it: it was deleted meanwhile.
    if (known === undefined && version <= this.#watchedVersion) return object;
    if (known === undefined || versionOf(known) < version) this.#put(this.#project(object));
    return object;
  }

  #onWatched(object: T, deleted: boolean): void {
    this.#watchedVersion = Math.max(this.#watchedVersion, versionOf(object));
    const { namespace, name, uid } = identityOf(object);
    const known = this.get(namespace, name);
    if (deleted) {
      this.#deleted.delete(uid);
      if (known === undefined || identityOf(known).uid !== uid) return;
      this.#namespaces.get(namespace)?.delete(name);
      this.#tell({ object, old: known, deleted: true });
      return;
    }
    if (known === undefined || versionOf(known) < versionOf(object)) this.#put(object);
  }

  #put(incoming: T): void {
    const { namespace, name, uid } = identityOf(incoming);
    const object = this.#deleted.has(uid) && !isBeingDeleted(incoming) ? this.#asDeleting(incoming) : incoming;
    let objects = this.#namespaces.get(namespace);
    if (objects === undefined) {
      objects = new Map();
      this.#namespaces.set(namespace, objects);
    }
    const old = objects.get(name);
    objects.set(name, object);
    if (old !== undefined && identityOf(old).uid !== uid) {
      this.#deleted.delete(identityOf(old).uid);
      this.#tell({ object: old, old, deleted: true });
      this.#tell({ object, old: undefined, deleted: false });
      return;
    }
    this.#tell({ object, old, deleted: false });
  }

  #asDeleting(object: T): T {
    return { ...object, metadata: { ...object.metadata, deletionTimestamp: kubeTime(this.#options.clock.now()) } };
  }

  #tell(change: CacheChange<T>): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        // One listener's mistake must not stop the watch for the others.
        this.#options.logger.error({ kind: this.type.kind, key: objectKey(change.object), error }, "listener failed");
      }
    }
  }
}

/** An API server takes an object without them as one that leaves them as they are. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** For kinds of which nobody reads more. */
export function metadataOnly<T extends KubeObject>({ apiVersion, kind, metadata }: T): KubeObject {
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function versionOf(object: KubeObject): number {
  return Number(object.metadata?.resourceVersion ?? 0);
}
