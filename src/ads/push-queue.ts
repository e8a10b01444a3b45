/**
 * At most one pending change a stream: what comes while one waits is merged into it, so a slow stream costs one merge
 * and gets the newest state when its turn comes. Turns go round in the order of the oldest waiting change.
 */
export class PushQueue<Key, Change> {
  readonly #merge: (a: Change, b: Change) => Change;
  /** In the order of turns; a blocked key keeps its place. */
  readonly #pending = new Map<Key, Change>();
  readonly #blocked = new Set<Key>();

  constructor(merge: (a: Change, b: Change) => Change) {
    this.#merge = merge;
  }

  add(key: Key, change: Change): void {
    const waiting = this.#pending.get(key);
    this.#pending.set(key, waiting === undefined ? change : this.#merge(waiting, change));
  }

  /** The next stream that may be served, with its change; undefined when none waits unblocked. */
  next(): readonly [Key, Change] | undefined {
    for (const [key, change] of this.#pending) {
      if (this.#blocked.has(key)) continue;
      this.#pending.delete(key);
      return [key, change];
    }
    return undefined;
  }

  /** The stream reads slower than we write: its change waits, and grows by merging, until `unblock`. */
  block(key: Key): void {
    this.#blocked.add(key);
  }

  unblock(key: Key): void {
    this.#blocked.delete(key);
  }

  /** The stream is gone. May be called twice. */
  delete(key: Key): void {
    this.#pending.delete(key);
    this.#blocked.delete(key);
  }

  get size(): number {
    return this.#pending.size;
  }
}
