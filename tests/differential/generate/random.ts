/** A small seeded generator (mulberry32): the same seed makes the same requests on every machine. */
export interface Random {
  /** 0 <= n < below. */
  int(below: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** Some of them, in order, at least `atLeast`. */
  some<T>(from: readonly T[], atLeast?: number): T[];
  weighted<T extends { readonly weight: number }>(from: readonly T[]): T;
  /** A generator of its own that depends on this one's state and the label. */
  fork(label: number): Random;
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const random: Random = {
    int: (below) => Math.floor(next() * below),
    chance: (probability) => next() < probability,
    pick(from) {
      if (from.length === 0) throw new Error("nothing to pick from");
      return from[Math.floor(next() * from.length)] as (typeof from)[number];
    },
    some(from, atLeast = 0) {
      const chosen = from.filter(() => next() < 0.5);
      return chosen.length >= atLeast ? chosen : from.slice(0, atLeast);
    },
    weighted(from) {
      let rest = next() * from.reduce((sum, one) => sum + one.weight, 0);
      for (const one of from) {
        rest -= one.weight;
        if (rest < 0) return one;
      }
      return random.pick(from);
    },
    fork: (label) => createRandom((Math.imul(state ^ label, 0x9e3779b1) ^ (label << 7)) >>> 0),
  };
  return random;
}
