/** Dotted IPv4 to a number; undefined for anything else. */
export function parseIpv4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

export function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
}

/** The first address of the range, ends included, that is not taken; undefined when all are. */
export function firstFree(range: { first: string; last: string }, taken: ReadonlySet<string>): string | undefined {
  const last = parseIpv4(range.last) ?? -1;
  for (let value = parseIpv4(range.first) ?? 0; value <= last; value++) {
    const address = formatIpv4(value);
    if (!taken.has(address)) return address;
  }
  return undefined;
}

export function isInRange(range: { first: string; last: string }, address: string): boolean {
  const [first, last, value] = [parseIpv4(range.first), parseIpv4(range.last), parseIpv4(address)];
  return first !== undefined && last !== undefined && value !== undefined && first <= value && value <= last;
}
