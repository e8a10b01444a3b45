import { formatAddress, parseAddress, parseCidr } from "#base/ipv4-range";
import { formatIpv6, parseIpv6, parseIpv6Cidr } from "#base/ipv6-range";
import { createNumberPool, staticBand } from "./number-pool.ts";

export type IpFamily = "IPv4" | "IPv6";

/** The addresses of one family that Services of a cluster get. */
export interface ServiceIpRange {
  readonly family: IpFamily;
  readonly cidr: string;
  /** It is the owner's from now on when it was free. */
  take(address: string, owner: string): "taken" | "in use" | "out of range";
  /** A free one; undefined when none is left. */
  takeAny(owner: string): string | undefined;
  /** The n-th address: 1 is the API server, 10 the cluster DNS. */
  address(n: number): string;
}

/** No more are counted: of a wider range the first so many. */
const MOST = 2 ** 24;

/**
 * `cidr` is of either family: 10.96.0.0/16, fd00:10:96::/112. `taken` has the owners by address, of other ranges that
 * overlap too. Throws Error for other text.
 */
export function createServiceIpRange(cidr: string, taken: Map<string, string>): ServiceIpRange {
  const { family, offset, format, size } = numbers(cidr);
  // The first address is the network's; of IPv4 the last is for broadcasts.
  const last = family === "IPv4" ? size - 2 : size - 1;
  const pool = createNumberPool(1, last, staticBand(size, 16, 256), {
    get: (number) => taken.get(format(number)),
    set: (number, owner) => taken.set(format(number), owner),
    delete: (number) => taken.delete(format(number)),
  });
  return {
    family,
    cidr,
    take(address, owner) {
      const number = offset(address);
      if (number === undefined || number < 1 || number > last) return "out of range";
      return pool.take(number, owner) ? "taken" : "in use";
    },
    takeAny(owner) {
      const number = pool.takeAny(owner);
      return number === undefined ? undefined : format(number);
    },
    address: format,
  };
}

interface Numbers {
  readonly family: IpFamily;
  readonly size: number;
  /** Of an address, from the first of the range; undefined for what is no address of the family. */
  readonly offset: (address: string) => number | undefined;
  readonly format: (offset: number) => string;
}

function numbers(cidr: string): Numbers {
  const four = parseCidr(cidr);
  if (four !== undefined) {
    const { first } = four;
    const offset = (address: string) => {
      const value = parseAddress(address);
      return value === undefined ? undefined : value - first;
    };
    return { family: "IPv4", size: four.last - first + 1, offset, format: (number) => formatAddress(first + number) };
  }
  const six = parseIpv6Cidr(cidr);
  if (six === undefined) throw new Error(`the service CIDR ${cidr} is no range of addresses`);
  const offset = (address: string) => {
    const value = parseIpv6(address);
    return value === undefined || value > six.last ? undefined : Number(value - six.first);
  };
  const size = Math.min(Number(six.last - six.first) + 1, MOST);
  return { family: "IPv6", size, offset, format: (number) => formatIpv6(six.first + BigInt(number)) };
}
