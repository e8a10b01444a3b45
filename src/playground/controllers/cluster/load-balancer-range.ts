import { formatAddress, parseAddress } from "#base/ipv4-range";

/** The first address of the range, ends included, that is not taken; undefined when all are. */
export function firstFree(range: { first: string; last: string }, taken: ReadonlySet<string>): string | undefined {
  const last = parseAddress(range.last) ?? -1;
  for (let value = parseAddress(range.first) ?? 0; value <= last; value++) {
    const address = formatAddress(value);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

export function isInRange(range: { first: string; last: string }, address: string): boolean {
  const [first, last, value] = [parseAddress(range.first), parseAddress(range.last), parseAddress(address)];
  return first !== undefined && last !== undefined && value !== undefined && first <= value && value <= last;
}
