/** Full jitter: a random wait below a ceiling that doubles, so that a thousand agents do not return in step. */
export interface Backoff {
  /** Milliseconds to wait before the next try. */
  next(): number;
  reset(): void;
}

export function fullJitterBackoff(baseMs: number, maxMs: number, random: () => number = Math.random): Backoff {
  let ceiling = baseMs;
  return {
    next() {
      const wait = random() * ceiling;
      ceiling = Math.min(maxMs, ceiling * 2);
      return wait;
    },
    reset() {
      ceiling = baseMs;
    },
  };
}
