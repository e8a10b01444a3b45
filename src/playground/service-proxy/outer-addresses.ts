// Load balancer addresses on the outer interface, so that the segment finds them by ARP. They carry a label of their
// own: what an earlier run left is known by it.
import { runTool } from "../run-tool.ts";

interface InterfaceAddresses {
  readonly addr_info?: readonly { readonly local?: string; readonly label?: string }[];
}

export interface OuterAddresses {
  /** Makes the interface carry exactly these, besides the addresses that are not ours. */
  apply(wanted: readonly string[]): Promise<void>;
}

export function createOuterAddresses(device: string): OuterAddresses {
  const label = `${device}:lb`;
  let current: Set<string> | undefined;
  return {
    async apply(wanted) {
      current ??= await readLabelled(device, label);
      const remove = [...current].filter((address) => !wanted.includes(address));
      const add = wanted.filter((address) => !current?.has(address));
      if (remove.length === 0 && add.length === 0) return;
      const lines = [
        ...remove.map((address) => `address del ${address}/32 dev ${device}`),
        ...add.map((address) => `address replace ${address}/32 dev ${device} label ${label}`),
      ];
      // Forgotten first: after a failure the truth is read again.
      current = undefined;
      await runTool("ip", ["-batch", "-"], { input: `${lines.join("\n")}\n` });
      current = new Set(wanted);
    },
  };
}

async function readLabelled(device: string, label: string): Promise<Set<string>> {
  const text = await runTool("ip", ["-json", "-4", "address", "show", "dev", device]);
  const links = JSON.parse(text) as InterfaceAddresses[];
  const found = links.flatMap(({ addr_info = [] }) => addr_info.filter((entry) => entry.label === label));
  return new Set(found.flatMap(({ local }) => (local === undefined ? [] : [local])));
}
