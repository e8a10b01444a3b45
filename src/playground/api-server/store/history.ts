import type { Change } from "./change.ts";

export interface HistoryLimits {
  readonly changes: number;
  /** Of the objects in them. */
  readonly bytes: number;
}

/** The recent past of one resource. What happened before is forgotten, and it says so. */
export class History {
  readonly #limits: HistoryLimits;
  #changes: Change[] = [];
  #bytes = 0;
  /** Changes up to this revision are forgotten. */
  #forgotten: number;

  constructor(limits: HistoryLimits, forgotten: number) {
    this.#limits = limits;
    this.#forgotten = forgotten;
  }

  /** Drops the older half at once when it is full, so that remembering stays cheap. */
  remember(change: Change): void {
    this.#changes.push(change);
    this.#bytes += change.stored.bytes.length;
    if (this.#changes.length <= this.#limits.changes && this.#bytes <= this.#limits.bytes) return;
    this.#forget(this.#changes.length - Math.ceil(Math.min(this.#limits.changes, this.#changes.length) / 2));
  }

  /** Those after `revision`; undefined when the past does not reach back that far. */
  since(revision: number): readonly Change[] | undefined {
    if (revision < this.#forgotten) return undefined;
    let from = this.#changes.length;
    while (from > 0 && (this.#changes[from - 1]?.revision ?? 0) > revision) from--;
    return this.#changes.slice(from);
  }

  #forget(count: number): void {
    this.#forgotten = this.#changes[count - 1]?.revision ?? this.#forgotten;
    this.#changes = this.#changes.slice(count);
    this.#bytes = this.#changes.reduce((sum, { stored }) => sum + stored.bytes.length, 0);
  }
}
