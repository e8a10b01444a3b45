// Keys that need work, each at most once in line and never twice at the same time; a failure comes back after a while.
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";

export interface WorkQueueOptions {
  readonly name: string;
  readonly work: (key: string) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Keys worked on at the same time, default 4. */
  readonly parallel?: number;
}

const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 30_000;

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Set<string>();
  readonly #failures = new Map<string, number>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    if (this.#options.signal.aborted) return;
    this.#waiting.add(key);
    this.#next();
  }

  #next(): void {
    for (const key of this.#waiting) {
      if (this.#running.size >= (this.#options.parallel ?? 4)) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.add(key);
      void this.#run(key);
    }
  }

  async #run(key: string): Promise<void> {
    const { work, logger, clock, signal, name } = this.#options;
    try {
      await work(key);
      this.#failures.delete(key);
    } catch (thrown) {
      const failures = (this.#failures.get(key) ?? 0) + 1;
      this.#failures.set(key, failures);
      const retryMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
      const level = failures === 1 ? "debug" : "warn";
      logger[level]({ queue: name, key, failures, retryMs, error: errorMessage(thrown) }, "work failed, will retry");
      const cancel = clock.schedule(retryMs, () => this.add(key));
      signal.addEventListener("abort", cancel, { once: true });
    } finally {
      this.#running.delete(key);
      if (!signal.aborted) this.#next();
    }
  }
}
