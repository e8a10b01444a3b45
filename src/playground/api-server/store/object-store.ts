// All objects in memory, and the recent past of each resource for watches. Objects given in and out are shared and must
// never be changed: a change is a new object.
import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";

export type ChangeType = "ADDED" | "MODIFIED" | "DELETED";

/** One change, as it happened. */
export interface Change {
  /** `group/plural` of the stored form. */
  readonly key: string;
  readonly revision: number;
  readonly type: ChangeType;
  readonly object: JsonObject;
  /** What the object was before; undefined for ADDED. */
  readonly previous: JsonObject | undefined;
}

export interface ObjectStore {
  revision(): number;
  get(key: string, namespace: string, name: string): JsonObject | undefined;
  /** Sorted by namespace and name. */
  list(key: string, namespace?: string): JsonObject[];
  /**
   * The one place where every write passes. Stamps the next resource version on the object, which must be the caller's
   * own copy; for DELETED it is the last state.
   */
  commit(key: string, type: ChangeType, object: JsonObject): JsonObject;
  /** Changes of one resource after `revision`, or undefined when the past does not reach back that far. */
  changesSince(key: string, revision: number): readonly Change[] | undefined;
  /** Called synchronously and in order after each change of the resource; of all resources without a key. */
  subscribe(listener: (change: Change) => void, key?: string): () => void;
}

export interface ObjectStoreOptions {
  /**
   * First revision. The time in milliseconds by default: a server that starts again with empty hands then answers
   * "too old" to watches of its former life instead of staying silent.
   */
  readonly firstRevision?: number;
  /** Changes remembered for each resource. */
  readonly history?: number;
}

interface Bucket {
  readonly objects: Map<string, JsonObject>;
  sorted: readonly string[] | undefined;
  history: Change[];
  /** Changes up to this revision are forgotten. */
  forgotten: number;
  readonly listeners: Set<(change: Change) => void>;
}

const keyOf = (namespace: string, name: string) => `${namespace}/${name}`;

export function createObjectStore(options: ObjectStoreOptions = {}): ObjectStore {
  const first = options.firstRevision ?? Date.now();
  const limit = options.history ?? 2000;
  const buckets = new Map<string, Bucket>();
  const everyone = new Set<(change: Change) => void>();
  let revision = first;

  const bucketOf = (key: string): Bucket => {
    let bucket = buckets.get(key);
    if (bucket === undefined) {
      bucket = { objects: new Map(), sorted: undefined, history: [], forgotten: first - 1, listeners: new Set() };
      buckets.set(key, bucket);
    }
    return bucket;
  };

  return {
    revision: () => revision,
    get: (key, namespace, name) => buckets.get(key)?.objects.get(keyOf(namespace, name)),
    list(key, namespace) {
      const bucket = bucketOf(key);
      bucket.sorted ??= [...bucket.objects.keys()].sort();
      const names =
        namespace === undefined ? bucket.sorted : bucket.sorted.filter((n) => n.startsWith(`${namespace}/`));
      return names.map((name) => bucket.objects.get(name)).filter((object) => object !== undefined);
    },
    commit(key, type, object) {
      const bucket = bucketOf(key);
      revision++;
      const metadata = objectAt(object, "metadata");
      const stamped = { ...object, metadata: { ...metadata, resourceVersion: String(revision) } };
      const name = keyOf(stringAt(metadata, "namespace"), stringAt(metadata, "name"));
      const previous = bucket.objects.get(name);
      if (type !== "MODIFIED") bucket.sorted = undefined;
      if (type === "DELETED") bucket.objects.delete(name);
      else bucket.objects.set(name, stamped);
      const change: Change = { key, revision, type, object: stamped, previous };
      remember(bucket, change, limit);
      for (const listener of [...bucket.listeners, ...everyone]) listener(change);
      return stamped;
    },
    changesSince(key, since) {
      const bucket = bucketOf(key);
      if (since < bucket.forgotten) return undefined;
      let from = bucket.history.length;
      while (from > 0 && (bucket.history[from - 1]?.revision ?? 0) > since) from--;
      return bucket.history.slice(from);
    },
    subscribe(listener, key) {
      const set = key === undefined ? everyone : bucketOf(key).listeners;
      set.add(listener);
      return () => set.delete(listener);
    },
  };
}

/** Drops the older half at once when the ring is full, so that remembering stays cheap. */
function remember(bucket: Bucket, change: Change, limit: number): void {
  bucket.history.push(change);
  if (bucket.history.length <= limit) return;
  const gone = bucket.history.length - Math.ceil(limit / 2);
  bucket.forgotten = bucket.history[gone - 1]?.revision ?? bucket.forgotten;
  bucket.history = bucket.history.slice(gone);
}
