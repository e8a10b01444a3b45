// All objects in memory, and the recent past of each resource for watches; with a journal they outlive the process.
// Objects given in and out are shared and must never be changed: a change is a new object.
import type { JsonObject } from "../contract.ts";
import { objectAt } from "../json.ts";
import { serialize } from "../json-bytes.ts";
import { Bucket } from "./bucket.ts";
import { type Change, type ChangeType, type RecordedChange, StoredChange } from "./change.ts";
import type { Journal } from "./journal.ts";
import { RecentTrees } from "./recent-trees.ts";
import { pathOf, StoredObject } from "./stored-object.ts";

export interface ObjectStore {
  revision(): number;
  get(key: string, namespace: string, name: string): JsonObject | undefined;
  /** Sorted by namespace and name. Parses what is not at hand: whoever only passes objects on takes `stored`. */
  list(key: string, namespace?: string): JsonObject[];
  /** As `get`, in the form in which it is kept. */
  find(key: string, namespace: string, name: string): StoredObject | undefined;
  /** As `list`, in the form in which objects are kept; `label` narrows it to those that carry one of the values. */
  stored(
    key: string,
    namespace?: string,
    label?: { readonly key: string; readonly values: readonly string[] },
  ): StoredObject[];
  /**
   * The one place where every write passes. Stamps the next resource version on the object, which must be the caller's
   * own copy; for DELETED it is the last state. With a journal the write is kept when this returns, and throws MeshError
   * JOURNAL_FAILED without any effect when it cannot be kept. What is hidden of the object stays as it is where nothing
   * else is said.
   */
  commit(key: string, type: ChangeType, object: JsonObject, beside?: Beside): JsonObject;
  /** Changes of one resource after `revision`, or undefined when the past does not reach back that far. */
  changesSince(key: string, revision: number): readonly Change[] | undefined;
  /** Called synchronously and in order after each change of the resource; of all resources without a key. */
  subscribe(listener: (change: Change) => void, key?: string): () => void;
  /** Tells all who listen by now of the objects that a former life of the server left, as ADDED. To be called once. */
  announce(): void;
  /** Lets go of the journal's files. */
  close(): void;
}

interface Beside {
  /** What is kept with the object from now on, and shown to nobody; undefined: nothing. */
  readonly hidden: JsonObject | undefined;
}

export interface ObjectStoreOptions {
  /**
   * First revision. The time in milliseconds by default: a server that starts again with empty hands then answers
   * "too old" to watches of its former life instead of staying silent.
   */
  readonly firstRevision?: number;
  /** Changes remembered for each resource. */
  readonly history?: number;
  /** Serialised bytes of the objects whose trees are kept at hand. */
  readonly treeBytes?: number;
  /** Where objects outlive the process; in memory alone by default. */
  readonly journal?: Journal | undefined;
}

/** Enough for who comes back after some seconds of heavy churn, and a bound on what nobody may ever ask for again. */
const HISTORY = 4000;
const HISTORY_BYTES = 8 * 1024 * 1024;
const TREE_BYTES = 3 * 1024 * 1024;
const NOTHING_BESIDE: Beside = { hidden: undefined };

export function createObjectStore(options: ObjectStoreOptions = {}): ObjectStore {
  return new MemoryStore(options);
}

class MemoryStore implements ObjectStore {
  readonly #buckets = new Map<string, Bucket>();
  readonly #everyone = new Set<(change: Change) => void>();
  readonly #historyLimit: number;
  readonly #journal: Journal | undefined;
  readonly #recent: RecentTrees;
  #forgotten: number;
  #revision: number;

  constructor({ firstRevision, history = HISTORY, treeBytes = TREE_BYTES, journal }: ObjectStoreOptions) {
    this.#historyLimit = history;
    this.#journal = journal;
    this.#recent = new RecentTrees(treeBytes);
    const content = journal?.takeContent();
    this.#revision = content?.revision ?? (content?.changes[0]?.revision ?? (firstRevision ?? Date.now()) + 1) - 1;
    this.#forgotten = content === undefined ? this.#revision - 1 : this.#revision;
    for (const recorded of content?.objects ?? []) this.#bucket(recorded.key).put(this.#read(recorded));
    for (const change of content?.changes ?? []) this.#keep(change, this.#read(change));
  }

  revision(): number {
    return this.#revision;
  }

  get(key: string, namespace: string, name: string): JsonObject | undefined {
    return this.find(key, namespace, name)?.object();
  }

  list(key: string, namespace?: string): JsonObject[] {
    return this.stored(key, namespace).map((stored) => stored.object());
  }

  find(key: string, namespace: string, name: string): StoredObject | undefined {
    return this.#buckets.get(key)?.get(`${namespace}/${name}`);
  }

  stored(
    key: string,
    namespace?: string,
    label?: { readonly key: string; readonly values: readonly string[] },
  ): StoredObject[] {
    const bucket = this.#bucket(key);
    if (label === undefined) return bucket.list(namespace);
    const found = bucket.listByLabel(label);
    return namespace === undefined ? found : found.filter((object) => object.namespace === namespace);
  }

  commit(key: string, type: ChangeType, object: JsonObject, beside?: Beside): JsonObject {
    const revision = this.#revision + 1;
    const metadata = objectAt(object, "metadata");
    const tree = { ...object, metadata: { ...metadata, resourceVersion: String(revision) } };
    const bytes = serialize(tree);
    const { hidden } = beside ?? this.#buckets.get(key)?.get(pathOf(tree)) ?? NOTHING_BESIDE;
    this.#journal?.append({ key, revision, type, bytes, hidden });
    const stored = new StoredObject(this.#recent, { tree, bytes, hidden });
    stored.holdTree(tree);
    const change = this.#keep({ key, revision, type }, stored);
    this.#tell(change);
    if (this.#journal?.isLong() === true) void this.#journal.compact(this.#everything(), revision);
    return tree;
  }

  changesSince(key: string, since: number): readonly Change[] | undefined {
    return this.#bucket(key).history.since(since);
  }

  subscribe(listener: (change: Change) => void, key?: string): () => void {
    const set = key === undefined ? this.#everyone : this.#bucket(key).listeners;
    set.add(listener);
    return () => set.delete(listener);
  }

  announce(): void {
    const all = [...this.#buckets].flatMap(([key, bucket]) => [...bucket.values()].map((stored) => ({ key, stored })));
    for (const { key, stored } of all) {
      // A listener may have changed or removed what comes later.
      if (this.#buckets.get(key)?.get(stored.path) !== stored) continue;
      this.#tell(new StoredChange({ key, type: "ADDED", revision: this.#revision }, stored, undefined));
    }
  }

  close(): void {
    this.#journal?.close();
  }

  #bucket(key: string): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new Bucket({ changes: this.#historyLimit, bytes: HISTORY_BYTES }, this.#forgotten);
      this.#buckets.set(key, bucket);
    }
    return bucket;
  }

  /** From the journal; the tree is let go of at once. */
  #read({ bytes, hidden }: RecordedChange): StoredObject {
    return new StoredObject(this.#recent, { tree: JSON.parse(bytes.toString()) as JsonObject, bytes, hidden });
  }

  #keep(at: Pick<Change, "key" | "type" | "revision">, stored: StoredObject): Change {
    const bucket = this.#bucket(at.key);
    const before = at.type === "DELETED" ? bucket.remove(stored.path) : bucket.put(stored);
    this.#revision = at.revision;
    const change = new StoredChange(at, stored, before);
    bucket.history.remember(change);
    return change;
  }

  #tell(change: Change): void {
    const listeners = this.#buckets.get(change.key)?.listeners ?? [];
    for (const listener of [...listeners, ...this.#everyone]) listener(change);
  }

  #everything(): RecordedChange[] {
    return [...this.#buckets].flatMap(([key, bucket]) =>
      Array.from(
        bucket.values(),
        ({ revision, bytes, hidden }) => ({ key, type: "ADDED", revision, bytes, hidden }) as const,
      ),
    );
  }
}
