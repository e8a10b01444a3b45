// Load balancer addresses on the outer interface, so that the segment finds them by ARP or its IPv6 kin. They are known
// again by what only they have there: IPv4 addresses by a label, IPv6 ones by a prefix of all bits.
import { runTool } from "../run-tool.ts";
import type { IpFamily } from "./service-ports.ts";

interface AddressInfo {
  readonly local?: string;
  readonly label?: string;
  readonly prefixlen?: number;
}

interface InterfaceAddresses {
  readonly addr_info?: readonly AddressInfo[];
}

interface FamilyAddresses {
  readonly flag: "-4" | "-6";
  /** What stands after `address replace` and `address del`. */
  readonly add: (address: string, device: string) => string;
  readonly remove: (address: string, device: string) => string;
  readonly isOurs: (info: AddressInfo, device: string) => boolean;
}

const FAMILIES: Readonly<Record<IpFamily, FamilyAddresses>> = {
  IPv4: {
    flag: "-4",
    add: (address, device) => `${address}/32 dev ${device} label ${device}:lb`,
    remove: (address, device) => `${address}/32 dev ${device}`,
    isOurs: ({ label }, device) => label === `${device}:lb`,
  },
  IPv6: {
    flag: "-6",
    // Never preferred: what the node and its pods send keeps coming from the node's own address.
    add: (address, device) => `${address}/128 dev ${device} nodad preferred_lft 0`,
    remove: (address, device) => `${address}/128 dev ${device}`,
    isOurs: ({ prefixlen }) => prefixlen === 128,
  },
};

export interface OuterAddresses {
  /** Makes the interface carry exactly these, besides the addresses that are not ours. */
  apply(wanted: readonly string[]): Promise<void>;
}

export function createOuterAddresses(device: string, family: IpFamily = "IPv4"): OuterAddresses {
  const rules = FAMILIES[family];
  let current: Set<string> | undefined;
  return {
    async apply(wanted) {
      current ??= await readOurs(device, rules);
      const remove = [...current].filter((address) => !wanted.includes(address));
      const add = wanted.filter((address) => !current?.has(address));
      if (remove.length === 0 && add.length === 0) return;
      const lines = [
        ...remove.map((address) => `address del ${rules.remove(address, device)}`),
        ...add.map((address) => `address replace ${rules.add(address, device)}`),
      ];
      // Forgotten first: after a failure the truth is read again.
      current = undefined;
      await runTool("ip", ["-batch", "-"], { input: `${lines.join("\n")}\n` });
      current = new Set(wanted);
    },
  };
}

async function readOurs(device: string, { flag, isOurs }: FamilyAddresses): Promise<Set<string>> {
  const text = await runTool("ip", ["-json", flag, "address", "show", "dev", device]);
  const links = JSON.parse(text) as InterfaceAddresses[];
  const found = links.flatMap(({ addr_info = [] }) => addr_info.filter((info) => isOurs(info, device)));
  return new Set(found.flatMap(({ local }) => (local === undefined ? [] : [local])));
}
