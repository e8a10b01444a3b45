import { readFileSync } from "node:fs";
import { PORTS, PROXY_UID } from "#api/constants/ports";
import { MeshError } from "#base/mesh-error";

export type InterceptionMode = "REDIRECT" | "TPROXY";

/** A list, or everything. */
export type Selection = "*" | readonly string[];

/** What traffic of a pod goes through its proxy. */
export interface IptablesConfig {
  readonly outboundPort: number;
  readonly inboundPort: number;
  /** Users and groups of the proxy: their traffic is never redirected. */
  readonly uids: readonly string[];
  readonly gids: readonly string[];
  readonly mode: InterceptionMode;
  /** Destinations whose traffic is captured. */
  readonly includeOutboundCidrs: Selection;
  readonly excludeOutboundCidrs: readonly string[];
  /** Captured whatever the destination address is. */
  readonly includeOutboundPorts: readonly string[];
  readonly excludeOutboundPorts: readonly string[];
  readonly includeInboundPorts: Selection;
  /** Counts only when all inbound ports are included. */
  readonly excludeInboundPorts: readonly string[];
  readonly excludeInterfaces: readonly string[];
  /** Interfaces of virtual machines, whose incoming traffic is outbound to us. */
  readonly kubeVirtInterfaces: readonly string[];
  /** DNS is captured to this port; undefined: left alone. */
  readonly dnsPort: number | undefined;
  /** The pod's resolvers, both families. */
  readonly dnsServers: readonly string[];
  readonly ipv6: boolean;
}

export interface IptablesFlags {
  readonly envoyPort?: string;
  readonly inboundCapturePort?: string;
  readonly proxyUid?: string;
  readonly proxyGid?: string;
  readonly istioInboundInterceptionMode?: string;
  readonly istioServiceCidr?: string;
  readonly istioServiceExcludeCidr?: string;
  readonly istioInboundPorts?: string;
  readonly istioLocalExcludePorts?: string;
  readonly istioOutboundPorts?: string;
  readonly istioLocalOutboundPortsExclude?: string;
  readonly istioExcludeInterfaces?: string;
  readonly kubeVirtInterfaces?: string;
  readonly redirectDns?: boolean;
  readonly dualStack?: boolean;
}

const list = (text: string | undefined) => (text ?? "").split(",").flatMap((item) => item.trim() || []);
const selection = (text: string | undefined): Selection => (text?.trim() === "*" ? "*" : list(text));

/** Reads the command's flags. Throws MeshError naming the flag that is wrong. */
export function readIptablesConfig(flags: IptablesFlags, resolvConf: () => string = readResolvConf): IptablesConfig {
  const mode = flags.istioInboundInterceptionMode || "REDIRECT";
  if (mode !== "REDIRECT" && mode !== "TPROXY") {
    throw new MeshError("USAGE", `-m ${mode}: the interception mode is REDIRECT or TPROXY`);
  }
  const uids = list(flags.proxyUid);
  const gids = list(flags.proxyGid);
  const portList = (flag: string, text: string | undefined) => list(text).map((port) => String(portOf(flag, port)));
  const inbound = selection(flags.istioInboundPorts);
  return {
    mode,
    outboundPort: portOf("-p", flags.envoyPort ?? String(PORTS.outbound)),
    inboundPort: portOf("-z", flags.inboundCapturePort ?? String(PORTS.inbound)),
    uids: uids.length > 0 ? uids : [String(PROXY_UID)],
    gids: gids.length > 0 ? gids : [String(PROXY_UID)],
    includeOutboundCidrs: selection(flags.istioServiceCidr),
    excludeOutboundCidrs: list(flags.istioServiceExcludeCidr),
    includeOutboundPorts: portList("-q", flags.istioOutboundPorts),
    excludeOutboundPorts: portList("-o", flags.istioLocalOutboundPortsExclude),
    includeInboundPorts: inbound === "*" ? inbound : portList("-b", flags.istioInboundPorts),
    excludeInboundPorts: portList("-d", flags.istioLocalExcludePorts),
    excludeInterfaces: list(flags.istioExcludeInterfaces),
    kubeVirtInterfaces: list(flags.kubeVirtInterfaces),
    dnsPort: flags.redirectDns === true ? PORTS.dnsProxy : undefined,
    dnsServers: flags.redirectDns === true ? nameservers(resolvConf()) : [],
    ipv6: flags.dualStack === true,
  };
}

function portOf(flag: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw new MeshError("USAGE", `${flag} ${text}: not a port`);
}

function readResolvConf(): string {
  return readFileSync("/etc/resolv.conf", "utf8");
}

export function nameservers(text: string): readonly string[] {
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].flatMap(([, server]) => server?.split("%")[0] ?? []);
}
