import { formatAddress, parseAddress } from "#base/ipv4-range";
import { formatIpv6, parseIpv6 } from "#base/ipv6-range";

/** Addresses of one family, ends included. */
export interface AddressRange {
  readonly first: string;
  readonly last: string;
}

/** An address as a number; undefined for what is none of the family of `range`. */
function valueIn(range: AddressRange, address: string): bigint | undefined {
  if (isIpv6(range.first)) return parseIpv6(address);
  const value = parseAddress(address);
  return value === undefined ? undefined : BigInt(value);
}

const isIpv6 = (address: string) => address.includes(":");

/** The first address of the range that is not taken; undefined when all are. */
export function firstFree(range: AddressRange, taken: ReadonlySet<string>): string | undefined {
  const [first, last] = [valueIn(range, range.first) ?? 0n, valueIn(range, range.last) ?? -1n];
  for (let value = first; value <= last; value++) {
    const address = isIpv6(range.first) ? formatIpv6(value) : formatAddress(Number(value));
    if (!taken.has(address)) return address;
  }
  return undefined;
}

export function isInRange(range: AddressRange, address: string): boolean {
  const [first, last, value] = [range.first, range.last, address].map((text) => valueIn(range, text));
  return first !== undefined && last !== undefined && value !== undefined && first <= value && value <= last;
}
