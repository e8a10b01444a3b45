import type { Change } from "./change.ts";
import { History, type HistoryLimits } from "./history.ts";
import { LabelIndex } from "./label-index.ts";
import { inNamespace, putSorted, removeSorted } from "./sorted-objects.ts";
import type { StoredObject } from "./stored-object.ts";

/** All objects of one resource, its recent past, and who listens to it. */
export class Bucket {
  readonly history: History;
  readonly listeners = new Set<(change: Change) => void>();
  readonly #objects = new Map<string, StoredObject>();
  readonly #labels = new LabelIndex();
  /** Undefined until somebody lists. */
  #sorted: StoredObject[] | undefined;

  constructor(limits: HistoryLimits, forgotten: number) {
    this.history = new History(limits, forgotten);
  }

  get(path: string): StoredObject | undefined {
    return this.#objects.get(path);
  }

  values(): Iterable<StoredObject> {
    return this.#objects.values();
  }

  /** Sorted by namespace and name; of all namespaces when it is undefined. */
  list(namespace: string | undefined): StoredObject[] {
    this.#sorted ??= [...this.#objects.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
    return namespace === undefined ? [...this.#sorted] : inNamespace(this.#sorted, namespace);
  }

  /** Those with one of the values at the label, sorted as `list` sorts. */
  listByLabel(label: { readonly key: string; readonly values: readonly string[] }): StoredObject[] {
    const found = this.#labels.find(label.key, label.values, this.#objects.values());
    return found.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Returns what stood there before. */
  put(object: StoredObject): StoredObject | undefined {
    const before = this.#objects.get(object.path);
    this.#objects.set(object.path, object);
    this.#labels.replace(before, object);
    if (this.#sorted !== undefined) putSorted(this.#sorted, object);
    return before;
  }

  /** Returns what stood there before. */
  remove(path: string): StoredObject | undefined {
    const before = this.#objects.get(path);
    if (before === undefined) return undefined;
    this.#objects.delete(path);
    this.#labels.replace(before, undefined);
    if (this.#sorted !== undefined) removeSorted(this.#sorted, path);
    return before;
  }
}
