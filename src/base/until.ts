import { type Clock, systemClock } from "./clock.ts";
import { MeshError } from "./mesh-error.ts";

export interface UntilOptions {
  /** What is awaited, for the error: "pod sample/sleep is ready". */
  readonly reason: string;
  readonly timeoutMs: number;
  /** Time between two looks, default 50 ms. */
  readonly intervalMs?: number;
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/**
 * Looks until `condition` gives something other than undefined or false, and returns it.
 * Throws MeshError TIMEOUT naming the reason. A throwing condition ends the wait with its error.
 */
export async function until<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  options: UntilOptions,
): Promise<T> {
  const clock = options.clock ?? systemClock;
  const deadline = clock.now() + options.timeoutMs;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (clock.now() >= deadline) {
      throw new MeshError("TIMEOUT", `waited ${options.timeoutMs / 1000} s in vain until ${options.reason}`);
    }
    await clock.sleep(options.intervalMs ?? 50, options.signal);
  }
}
