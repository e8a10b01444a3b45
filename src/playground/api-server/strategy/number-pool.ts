/** Numbers of a range, each with at most one owner. */
export interface NumberPool {
  /** False when somebody has it already. */
  take(value: number, owner: string): boolean;
  /** The next free number; undefined when none is. */
  takeAny(owner: string): number | undefined;
  release(value: number, owner: string): void;
}

/** Who has which number; what several pools share is never given twice. */
interface Owners {
  get(value: number): string | undefined;
  set(value: number, owner: string): void;
  delete(value: number): void;
}

/**
 * Free numbers are given in turn, so that one that was just released is not given again at once; the first `left` only
 * when all others are taken.
 */
export function createNumberPool(
  first: number,
  last: number,
  left: number,
  owners: Owners = new Map<number, string>(),
): NumberPool {
  const dynamic = Math.min(first + left, last);
  let next = dynamic;
  const takeFree = (from: number, to: number, owner: string): number | undefined => {
    for (let tries = from; tries <= to; tries++) {
      const value = next;
      next = value >= to ? from : value + 1;
      if (owners.get(value) !== undefined) continue;
      owners.set(value, owner);
      return value;
    }
    return undefined;
  };
  return {
    take(value, owner) {
      if (owners.get(value) !== undefined) return false;
      owners.set(value, owner);
      return true;
    },
    takeAny(owner) {
      const found = takeFree(dynamic, last, owner);
      if (found !== undefined) return found;
      next = first;
      return takeFree(first, last, owner);
    },
    release(value, owner) {
      if (owners.get(value) === owner) owners.delete(value);
    },
  };
}

/** So many of the first of a range are left to those who ask for one of them, as long as others are free. */
export function staticBand(size: number, share: number, most: number): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / share)), most);
}
