/** Keeps its tree beside its bytes until it is told to release it. */
export interface TreeHolder {
  /** Serialised. */
  readonly bytes: Buffer;
  releaseTree(): void;
}

/**
 * Who has a tree at hand: as many as fit. A small cluster is all there and is parsed never; of a large one, what was
 * used last.
 */
export class RecentTrees {
  readonly #most: number;
  readonly #holders = new Set<TreeHolder>();
  #bytes = 0;

  /** `most`: serialised bytes of all trees together; a tree takes about four times as much. */
  constructor(most: number) {
    this.#most = most;
  }

  add(holder: TreeHolder): void {
    if (this.#holders.has(holder)) return;
    this.#holders.add(holder);
    this.#bytes += holder.bytes.length;
    for (const oldest of this.#holders) {
      if (this.#bytes <= this.#most) break;
      this.#holders.delete(oldest);
      this.#bytes -= oldest.bytes.length;
      oldest.releaseTree();
    }
  }
}
