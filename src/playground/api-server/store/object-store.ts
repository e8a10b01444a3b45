// All objects in memory, and the recent past of each resource for watches; with a journal they outlive the process.
// Objects given in and out are shared and must never be changed: a change is a new object.
import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import type { Change, ChangeType, StoredChange } from "./change.ts";
import type { Journal } from "./journal.ts";
import { insertSorted, namesIn, removeSorted } from "./sorted-names.ts";

export interface ObjectStore {
  revision(): number;
  get(key: string, namespace: string, name: string): JsonObject | undefined;
  /** Sorted by namespace and name. */
  list(key: string, namespace?: string): JsonObject[];
  /**
   * The one place where every write passes. Stamps the next resource version on the object, which must be the caller's
   * own copy; for DELETED it is the last state. With a journal the write is kept when this returns, and throws MeshError
   * JOURNAL_FAILED without any effect when it cannot be kept.
   */
  commit(key: string, type: ChangeType, object: JsonObject): JsonObject;
  /** Changes of one resource after `revision`, or undefined when the past does not reach back that far. */
  changesSince(key: string, revision: number): readonly Change[] | undefined;
  /** Called synchronously and in order after each change of the resource; of all resources without a key. */
  subscribe(listener: (change: Change) => void, key?: string): () => void;
  /** Tells all who listen by now of the objects that a former life of the server left, as ADDED. To be called once. */
  announce(): void;
  /** Lets go of the journal's files. */
  close(): void;
}

export interface ObjectStoreOptions {
  /**
   * First revision. The time in milliseconds by default: a server that starts again with empty hands then answers
   * "too old" to watches of its former life instead of staying silent.
   */
  readonly firstRevision?: number;
  /** Changes remembered for each resource. */
  readonly history?: number;
  /** Where objects outlive the process; in memory alone by default. */
  readonly journal?: Journal | undefined;
}

/** Enough for who comes back after some seconds of heavy churn, and a bound on what nobody may ever ask for again. */
const HISTORY = 4000;

interface Bucket {
  readonly objects: Map<string, JsonObject>;
  /** Keys of `objects` in order; undefined after a bulk of writes, until somebody lists. */
  sorted: string[] | undefined;
  history: Change[];
  /** Changes up to this revision are forgotten. */
  forgotten: number;
  readonly listeners: Set<(change: Change) => void>;
}

const keyOf = (object: JsonObject) => {
  const metadata = objectAt(object, "metadata");
  return `${stringAt(metadata, "namespace")}/${stringAt(metadata, "name")}`;
};

export function createObjectStore(options: ObjectStoreOptions = {}): ObjectStore {
  return new MemoryStore(options);
}

class MemoryStore implements ObjectStore {
  readonly #buckets = new Map<string, Bucket>();
  readonly #everyone = new Set<(change: Change) => void>();
  readonly #historyLimit: number;
  readonly #journal: Journal | undefined;
  #forgotten: number;
  #revision: number;

  constructor({ firstRevision, history = HISTORY, journal }: ObjectStoreOptions) {
    this.#historyLimit = history;
    this.#journal = journal;
    const content = journal?.content;
    this.#revision = content?.revision ?? (content?.changes[0]?.revision ?? (firstRevision ?? Date.now()) + 1) - 1;
    this.#forgotten = content === undefined ? this.#revision - 1 : this.#revision;
    for (const { key, object } of content?.objects ?? []) this.#bucket(key).objects.set(keyOf(object), object);
    for (const change of content?.changes ?? []) this.#keep(change);
  }

  revision(): number {
    return this.#revision;
  }

  get(key: string, namespace: string, name: string): JsonObject | undefined {
    return this.#buckets.get(key)?.objects.get(`${namespace}/${name}`);
  }

  list(key: string, namespace?: string): JsonObject[] {
    const bucket = this.#bucket(key);
    bucket.sorted ??= [...bucket.objects.keys()].sort();
    const found: JsonObject[] = [];
    for (const name of namespace === undefined ? bucket.sorted : namesIn(bucket.sorted, namespace)) {
      const object = bucket.objects.get(name);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  commit(key: string, type: ChangeType, object: JsonObject): JsonObject {
    const revision = this.#revision + 1;
    const metadata = objectAt(object, "metadata");
    const stamped = { ...object, metadata: { ...metadata, resourceVersion: String(revision) } };
    this.#journal?.append({ key, revision, type, object: stamped });
    const change = this.#keep({ key, revision, type, object: stamped });
    this.#tell(change);
    if (this.#journal?.isLong() === true) void this.#journal.compact(this.#everything(), revision);
    return stamped;
  }

  changesSince(key: string, since: number): readonly Change[] | undefined {
    const bucket = this.#bucket(key);
    if (since < bucket.forgotten) return undefined;
    let from = bucket.history.length;
    while (from > 0 && (bucket.history[from - 1]?.revision ?? 0) > since) from--;
    return bucket.history.slice(from);
  }

  subscribe(listener: (change: Change) => void, key?: string): () => void {
    const set = key === undefined ? this.#everyone : this.#bucket(key).listeners;
    set.add(listener);
    return () => set.delete(listener);
  }

  announce(): void {
    for (const { key, object } of this.#everything()) {
      // A listener may have changed or removed what comes later.
      const current = this.#buckets.get(key)?.objects.get(keyOf(object));
      if (current !== object) continue;
      this.#tell({ key, revision: this.#revision, type: "ADDED", object, previous: undefined });
    }
  }

  close(): void {
    this.#journal?.close();
  }

  #bucket(key: string): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      const forgotten = this.#forgotten;
      bucket = { objects: new Map(), sorted: undefined, history: [], forgotten, listeners: new Set() };
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  #keep({ key, revision, type, object }: StoredChange): Change {
    const bucket = this.#bucket(key);
    const name = keyOf(object);
    const previous = bucket.objects.get(name);
    if (type === "DELETED") {
      bucket.objects.delete(name);
      if (previous !== undefined && bucket.sorted !== undefined) removeSorted(bucket.sorted, name);
    } else {
      bucket.objects.set(name, object);
      if (previous === undefined && bucket.sorted !== undefined) insertSorted(bucket.sorted, name);
    }
    this.#revision = revision;
    const change: Change = { key, revision, type, object, previous };
    remember(bucket, change, this.#historyLimit);
    return change;
  }

  #tell(change: Change): void {
    const listeners = this.#buckets.get(change.key)?.listeners ?? [];
    for (const listener of [...listeners, ...this.#everyone]) listener(change);
  }

  #everything(): StoredChange[] {
    const all: StoredChange[] = [];
    for (const [key, { objects }] of this.#buckets) {
      for (const object of objects.values()) {
        all.push({ key, type: "ADDED", object, revision: Number(stringAt(object, "metadata", "resourceVersion")) });
      }
    }
    return all;
  }
}

/** Drops the older half at once when the ring is full, so that remembering stays cheap. */
function remember(bucket: Bucket, change: Change, limit: number): void {
  bucket.history.push(change);
  if (bucket.history.length <= limit) return;
  const gone = bucket.history.length - Math.ceil(limit / 2);
  bucket.forgotten = bucket.history[gone - 1]?.revision ?? bucket.forgotten;
  bucket.history = bucket.history.slice(gone);
}
