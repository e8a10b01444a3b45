// Everything that can be refused is refused here, before anything is touched.
import { existsSync } from "node:fs";
import { MeshError } from "#base/mesh-error";
import { run } from "../network/apply-plan.ts";
import { checkOuterCidr, type HostRange, outerCandidates, readHostRanges } from "../network/outer-segment.ts";
import type { Topology } from "../network/topology.ts";
import { findExecutable } from "./installation.ts";

/** Tool and the Debian package that brings it. */
const TOOLS: Readonly<Record<string, string>> = {
  ip: "iproute2",
  iptables: "iptables",
  "iptables-restore": "iptables",
  "iptables-save": "iptables",
  "ip6tables-restore": "iptables",
  unshare: "util-linux",
  nsenter: "util-linux",
  setpriv: "util-linux",
  mount: "mount",
  sh: "dash",
};

/** `path` is where tools are looked for. Throws MeshError NOT_ROOT, MISSING_TOOLS, NO_NAMESPACES or OUTER_CIDR_IN_USE. */
export async function checkMachine(topology: Topology, path: string): Promise<void> {
  checkRoot();
  checkTools(path);
  checkIpv6(topology);
  const [host] = await Promise.all([hostRanges(), checkNamespaces()]);
  checkOuterCidr(topology, host);
  if (outerCandidates(topology, host).next().done) {
    throw new MeshError("NO_OUTER_CIDR", "every range for an outer segment is in use on this machine", {
      hint: "name a free one as outerCIDR in a topology file",
    });
  }
}

function checkRoot(): void {
  if (process.getuid?.() === 0) return;
  throw new MeshError("NOT_ROOT", "a playground makes network namespaces, and only root may", {
    hint: "run it as root: sudo -E isthmus playground up",
  });
}

export function checkTools(path: string): void {
  const missing = Object.keys(TOOLS).filter((tool) => findExecutable(tool, path) === undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => TOOLS[tool]))].join(" ");
  throw new MeshError("MISSING_TOOLS", `missing on this machine: ${missing.join(", ")}`, {
    hint: `install them: apt-get install -y --no-install-recommends ${packages}`,
  });
}

function checkIpv6({ clusters }: Topology): void {
  const first = clusters.find(({ ipv6 }) => ipv6 !== undefined);
  if (first === undefined || existsSync("/proc/sys/net/ipv6")) return;
  throw new MeshError("NO_IPV6", `cluster ${first.name} is to have IPv6, and the kernel of this machine has none`, {
    hint: "leave `ipv6` out of the topology, or boot a kernel with IPv6 (without ipv6.disable=1)",
  });
}

async function checkNamespaces(): Promise<void> {
  try {
    await run(["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--mount-proc", "sh", "-c", ":"]);
  } catch (cause) {
    throw new MeshError("NO_NAMESPACES", "this machine refuses new namespaces", {
      cause,
      hint: "in a container, run it with all privileges: mount, net, pid, ipc and uts namespaces are needed",
    });
  }
}

/** What the host uses now. */
export async function hostRanges(): Promise<readonly HostRange[]> {
  const [addresses, routes] = await Promise.all([
    run(["ip", "-json", "-4", "addr", "show"]),
    run(["ip", "-json", "-4", "route", "show", "table", "all"]),
  ]);
  return readHostRanges(addresses, routes);
}
