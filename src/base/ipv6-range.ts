import { isIPv6 } from "node:net";

/** A range of IPv6 addresses as unsigned 128-bit numbers, first and last included. */
export interface Ipv6Cidr {
  readonly first: bigint;
  readonly last: bigint;
  readonly prefix: number;
}

const BITS = 128;
const GROUPS = 8;

/** Reads an IPv6 address in any of its ways of writing, zones excluded; undefined when it is none. */
export function parseIpv6(text: string): bigint | undefined {
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const [head = "", tail] = text.split("::");
  const [front, back] = [groupsOf(head), groupsOf(tail ?? "")];
  const zeros = tail === undefined ? 0 : GROUPS - front.length - back.length;
  const all = [...front, ...Array<number>(zeros).fill(0), ...back];
  return all.reduce((sum, group) => sum * 65_536n + BigInt(group), 0n);
}

/** `1:2` and, as the last two groups, `10.0.0.1`. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((word) => {
    if (!word.includes(".")) return [Number.parseInt(word, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = word.split(".").map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The one way to write an address (RFC 5952): lower case, the longest run of two or more zero groups as `::`. */
export function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: GROUPS }, (_, index) =>
    Number((value >> BigInt(16 * (GROUPS - 1 - index))) & 0xffffn),
  );
  const [start, length] = longestZeros(groups);
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best[1]) best = [start, index + 1 - start];
  }
  return best;
}

/** Reads `address/prefix`; host bits may be set and are ignored. Undefined when it is none. */
export function parseIpv6Cidr(text: string): Ipv6Cidr | undefined {
  const [head = "", tail = "", more] = text.split("/");
  const address = parseIpv6(head);
  const prefix = /^\d{1,3}$/.test(tail) ? Number(tail) : BITS + 1;
  if (address === undefined || prefix > BITS || more !== undefined) return undefined;
  const size = 1n << BigInt(BITS - prefix);
  const first = (address / size) * size;
  return { first, last: first + size - 1n, prefix };
}

export function formatIpv6Cidr(cidr: Ipv6Cidr): string {
  return `${formatIpv6(cidr.first)}/${cidr.prefix}`;
}

export function overlapsIpv6(a: Ipv6Cidr, b: Ipv6Cidr): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** The nth address of the range; 0 is the network's own. Throws RangeError past its end. */
export function ipv6AddressAt(cidr: Ipv6Cidr, index: number): string {
  const value = cidr.first + BigInt(index);
  if (index < 0 || value > cidr.last) throw new RangeError(`${formatIpv6Cidr(cidr)} has no address number ${index}`);
  return formatIpv6(value);
}
