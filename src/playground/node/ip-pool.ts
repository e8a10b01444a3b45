import { MeshError } from "#base/mesh-error";

/** The first ten addresses are left to gateways and services of the node itself. */
const RESERVED = 10;

export interface IpPool {
  /** Throws MeshError NO_FREE_ADDRESS when every address is taken. */
  allocate(): string;
  release(address: string): void;
}

/** Addresses of a CIDR in turn, so that an address just given back is the last to come again. IPv4 only. */
export function createIpPool(cidr: string): IpPool {
  const { base, size } = parseCidr(cidr);
  const count = size - RESERVED - 1;
  const taken = new Set<number>();
  let next = 0;
  return {
    allocate() {
      for (let tries = 0; tries < count; tries++) {
        const candidate = base + RESERVED + (next % count);
        next++;
        if (taken.has(candidate)) continue;
        taken.add(candidate);
        return formatIpv4(candidate);
      }
      throw new MeshError("NO_FREE_ADDRESS", `every pod address of ${cidr} is in use`, {
        hint: "delete pods, or give the cluster a larger podCIDR in the topology file",
      });
    },
    release(address) {
      taken.delete(parseIpv4(address));
    },
  };
}

function parseCidr(cidr: string): { base: number; size: number } {
  const [address = "", length = ""] = cidr.split("/");
  const bits = Number(length);
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(address) || !Number.isInteger(bits) || bits < 8 || bits > 28) {
    throw new MeshError("BAD_CIDR", `"${cidr}" is no IPv4 range that pods can live in`, {
      hint: "write it as 10.244.0.0/16, with a prefix length from 8 to 28",
    });
  }
  const size = 2 ** (32 - bits);
  return { base: Math.floor(parseIpv4(address) / size) * size, size };
}

function parseIpv4(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function formatIpv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}
