/** A range of IPv4 addresses as unsigned 32-bit numbers, first and last included. */
export interface Cidr {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

/** Reads `a.b.c.d` into an unsigned 32-bit number; undefined when it is none. */
export function parseAddress(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0;
  for (const part of match.slice(1)) {
    const byte = Number(part);
    if (byte > 255 || String(byte) !== part) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

export function formatAddress(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

/** Reads `address/prefix`; host bits may be set and are ignored. A bare address is a /32. Undefined when it is none. */
export function parseCidr(text: string): Cidr | undefined {
  const [head = "", tail = "32", more] = text.split("/");
  const address = parseAddress(head);
  const prefix = /^\d{1,2}$/.test(tail) ? Number(tail) : 33;
  if (address === undefined || prefix > 32 || more !== undefined) return undefined;
  const size = 2 ** (32 - prefix);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1, prefix };
}

export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr.first)}/${cidr.prefix}`;
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** The nth address of the range; 0 is the network's own. Throws RangeError past its end. */
export function addressAt(cidr: Cidr, index: number): string {
  if (index < 0 || cidr.first + index > cidr.last) {
    throw new RangeError(`${formatCidr(cidr)} has no address number ${index}`);
  }
  return formatAddress(cidr.first + index);
}

/** Walks the subnets of `prefix` bits inside the range, lowest first. */
export function* subnets(cidr: Cidr, prefix: number): Generator<Cidr> {
  const size = 2 ** (32 - prefix);
  for (let first = cidr.first; first <= cidr.last; first += size) yield { first, last: first + size - 1, prefix };
}
