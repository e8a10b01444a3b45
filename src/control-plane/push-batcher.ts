import type { Clock } from "#base/clock";
import { debounceMerge } from "#base/debounce-merge";
import { type MeshChange, mergeChanges } from "#model/mesh-change";
import type { MeshSnapshot } from "#model/mesh-snapshot";

/** What proxies are told of: all changes of a batch, seen with the snapshot after the last of them. */
export interface MeshPush {
  readonly changes: readonly MeshChange[];
  readonly snapshot: MeshSnapshot;
  /** When the first of the facts was observed, milliseconds since the epoch. */
  readonly observedAt: number;
}

export function mergePushes(earlier: MeshPush, later: MeshPush): MeshPush {
  return {
    changes: mergeChanges(earlier.changes, later.changes),
    snapshot: later.snapshot,
    observedAt: Math.min(earlier.observedAt, later.observedAt),
  };
}

export interface PushBatcherOptions {
  readonly clock: Clock;
  readonly quietMs: number;
  readonly maxMs: number;
  /** Let batches of endpoints wait too. */
  readonly debounceEndpoints: boolean;
  readonly emit: (push: MeshPush) => void;
}

export interface PushBatcher {
  add(push: MeshPush): void;
  flush(): void;
  close(): void;
}

/**
 * Gathers changes for a quiet time. Endpoints alone leave at once when nothing left or waits within the quiet time: a
 * single pod that comes or goes is told without delay, a storm is gathered.
 */
export function createPushBatcher(options: PushBatcherOptions): PushBatcher {
  const { clock, quietMs, maxMs } = options;
  let lastEmit = Number.NEGATIVE_INFINITY;
  let pending = false;
  const emit = (push: MeshPush) => {
    pending = false;
    lastEmit = clock.now();
    options.emit(push);
  };
  const debouncer = debounceMerge<MeshPush>({ clock, quietMs, maxMs, merge: mergePushes, emit });
  return {
    add(push) {
      const alone = !pending && clock.now() - lastEmit >= quietMs;
      if (alone && !options.debounceEndpoints && isEndpointsOnly(push)) return emit(push);
      pending = true;
      debouncer.add(push);
    },
    flush: () => debouncer.flush(),
    close: () => debouncer.close(),
  };
}

function isEndpointsOnly(push: MeshPush): boolean {
  return push.changes.every((change) => change.kind === "endpoints" && !change.identitiesChanged);
}
