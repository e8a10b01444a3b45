// Keyed work with coalescing: a key waits at most once, runs at most once at a time, and is tried again with a
// growing pause when it fails. A key added while it runs runs once more after.
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { KubeError } from "./kube-client.ts";

export interface WorkQueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Keys that may run at the same time, default 8. */
  readonly workers?: number;
  /** Pause after the first failure, doubled with each further one; default 5 ms. */
  readonly firstPauseMs?: number;
  /** No pause is longer; default 10 s. */
  readonly maxPauseMs?: number;
  /** Throwing means: again later. */
  reconcile(key: string, signal: AbortSignal): Promise<void>;
}

export class WorkQueue {
  readonly name: string;
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #timers = new Map<string, { at: number; cancel: () => void }>();
  #signal: AbortSignal | undefined;
  #pumpPlanned = false;

  constructor(options: WorkQueueOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** Keys may be added before `run`; they wait. */
  add(key: string): void {
    this.#waiting.add(key);
    this.#planPump();
  }

  /** Adds the key after `ms`; of several pending calls the earliest counts. */
  addAfter(key: string, ms: number): void {
    const at = this.#options.clock.now() + ms;
    const pending = this.#timers.get(key);
    if (pending !== undefined && pending.at <= at) return;
    pending?.cancel();
    const cancel = this.#options.clock.schedule(Math.max(0, ms), () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { at, cancel });
  }

  /** Works until the signal aborts. May be called once. */
  run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#planPump();
    return new Promise((resolve) => {
      const stop = () => {
        for (const { cancel } of this.#timers.values()) cancel();
        this.#timers.clear();
        this.#waiting.clear();
        resolve();
      };
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }

  /** One turn of the event loop later, so that a burst of events from one read becomes one piece of work. */
  #planPump(): void {
    if (this.#pumpPlanned || this.#signal === undefined || this.#signal.aborted) return;
    this.#pumpPlanned = true;
    setImmediate(() => {
      this.#pumpPlanned = false;
      this.#pump();
    });
  }

  #pump(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    const workers = this.#options.workers ?? 8;
    for (const key of this.#waiting) {
      if (this.#running.size >= workers) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#work(key, signal);
    }
  }

  async #work(key: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.reconcile(key, signal);
      this.#failures.delete(key);
    } catch (thrown) {
      if (!signal.aborted) this.#retry(key, thrown);
    }
    this.#running.delete(key);
    if (this.#waiting.size > 0) this.#planPump();
  }

  #retry(key: string, thrown: unknown): void {
    const { logger, firstPauseMs = 5, maxPauseMs = 10_000 } = this.#options;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const pauseMs = Math.min(maxPauseMs, firstPauseMs * 2 ** Math.min(20, failures - 1));
    // A conflict, or a 404, only says that the cache was behind: the next look sees the newer truth.
    const behind = thrown instanceof KubeError && (thrown.status === 409 || thrown.status === 404);
    const level = behind ? "debug" : "warn";
    logger[level]({ queue: this.name, key, failures, pauseMs, error: errorMessage(thrown) }, "reconcile failed");
    this.addAfter(key, pauseMs);
  }
}
