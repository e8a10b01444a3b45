import type { Clock } from "./clock.ts";

export interface DebounceOptions<T> {
  readonly clock: Clock;
  /** A batch leaves when nothing new came for this long, in milliseconds. */
  readonly quietMs: number;
  /** A batch leaves at the latest this long after its first item, in milliseconds. */
  readonly maxMs: number;
  readonly merge: (pending: T, next: T) => T;
  readonly emit: (batch: T) => void;
}

export interface Debouncer<T> {
  add(item: T): void;
  /** Emits what is pending now, if anything. */
  flush(): void;
  close(): void;
}

/** Gathers items for a quiet time into one merged batch; at most one batch is pending. */
export function debounceMerge<T>(options: DebounceOptions<T>): Debouncer<T> {
  const { clock } = options;
  let pending: { value: T; deadline: number } | undefined;
  let cancel: (() => void) | undefined;
  const flush = () => {
    cancel?.();
    cancel = undefined;
    if (pending === undefined) return;
    const batch = pending.value;
    pending = undefined;
    options.emit(batch);
  };
  return {
    add(item) {
      const now = clock.now();
      pending =
        pending === undefined
          ? { value: item, deadline: now + options.maxMs }
          : { value: options.merge(pending.value, item), deadline: pending.deadline };
      cancel?.();
      cancel = clock.schedule(Math.max(0, Math.min(options.quietMs, pending.deadline - now)), flush);
    },
    flush,
    close() {
      cancel?.();
      cancel = undefined;
      pending = undefined;
    },
  };
}
