import { type Cidr, formatAddress, parseAddress, parseCidr } from "#base/ipv4-range";
import { ipv6AddressAt, parseIpv6Cidr } from "#base/ipv6-range";
import { MeshError } from "#base/mesh-error";

/** The first ten addresses are left to gateways and services of the node itself. */
const RESERVED = 10;

export interface IpPool {
  /** Throws MeshError NO_FREE_ADDRESS when every address is taken. */
  allocate(): string;
  release(address: string): void;
}

/** Pods on one node: of an IPv6 range no more are ever handed out at once. */
const MOST_V6 = 65_536;
const NARROWEST_V6 = 112;

/** Addresses of an IPv6 CIDR in turn: its prefix and a number from ten. Throws MeshError BAD_CIDR. */
export function createIpv6Pool(cidr: string): IpPool {
  const range = parseIpv6Cidr(cidr);
  if (range === undefined || range.prefix > NARROWEST_V6) {
    throw new MeshError("BAD_CIDR", `"${cidr}" is no IPv6 range that pods can live in`, {
      hint: `write it as fd44::/64, with a prefix length of at most ${NARROWEST_V6}`,
    });
  }
  const taken = new Set<string>();
  let next = 0;
  return {
    allocate() {
      for (let tries = 0; tries < MOST_V6; tries++) {
        const address = ipv6AddressAt(range, RESERVED + (next++ % (MOST_V6 - RESERVED)));
        if (taken.has(address)) continue;
        taken.add(address);
        return address;
      }
      throw new MeshError("NO_FREE_ADDRESS", `every pod address of ${cidr} is in use`, { hint: "delete pods" });
    },
    release: (address) => void taken.delete(address),
  };
}

/** Addresses of a CIDR in turn, so that an address just given back is the last to come again. IPv4 only. */
export function createIpPool(cidr: string): IpPool {
  const { first, last } = podRange(cidr);
  const count = last - first - RESERVED; // the last is for broadcasts
  const taken = new Set<number>();
  let next = 0;
  return {
    allocate() {
      for (let tries = 0; tries < count; tries++) {
        const candidate = first + RESERVED + (next % count);
        next++;
        if (taken.has(candidate)) continue;
        taken.add(candidate);
        return formatAddress(candidate);
      }
      throw new MeshError("NO_FREE_ADDRESS", `every pod address of ${cidr} is in use`, {
        hint: "delete pods, or give the cluster a larger podCIDR in the topology file",
      });
    },
    release(address) {
      const value = parseAddress(address);
      if (value !== undefined) taken.delete(value);
    },
  };
}

function podRange(cidr: string): Cidr {
  const range = parseCidr(cidr);
  if (range === undefined || range.prefix < 8 || range.prefix > 28) {
    throw new MeshError("BAD_CIDR", `"${cidr}" is no IPv4 range that pods can live in`, {
      hint: "write it as 10.244.0.0/16, with a prefix length from 8 to 28",
    });
  }
  return range;
}
