// The rules that send a pod's traffic through its proxy, in Istio's chains and order. Order is the meaning: what comes
// first in ISTIO_OUTPUT is what keeps the proxy's own traffic from going round in circles.
import { INBOUND_PASSTHROUGH_SOURCE, PORTS } from "#api/constants/ports";
import type { IptablesConfig } from "./options.ts";

export type Table = "nat" | "mangle" | "raw";
export type Family = "v4" | "v6";

/** One `-A CHAIN ...` line of a table. */
export interface Rule {
  readonly table: Table;
  readonly chain: string;
  readonly match: string;
}

const LOOPBACK = { v4: "127.0.0.1/32", v6: "::1/128" } as const;
const PASSTHROUGH_SOURCE = { v4: `${INBOUND_PASSTHROUGH_SOURCE}/32`, v6: "::6/128" } as const;
const INBOUND_MARK = "1337";
const OUTBOUND_MARK = "1338";
/** Conntrack zones: the proxy's own DNS queries and the captured ones use one port pair and must not be mixed. */
const ZONE = { proxy: 1, captured: 2 } as const;

/** The rules of one address family, in their order. Pure. */
export function iptablesRules(config: IptablesConfig, family: Family = "v4"): readonly Rule[] {
  const servers = config.dnsServers.filter((server) => server.includes(":") === (family === "v6"));
  const input = { config, family, servers };
  return [
    ...excludedInterfaces(input),
    ...redirectTargets(input),
    ...inbound(input),
    ...virtualMachines(input),
    ...outbound(input),
    ...dns(input),
    ...(config.mode === "TPROXY" ? tproxy(input) : []),
  ];
}

interface Input {
  readonly config: IptablesConfig;
  readonly family: Family;
  readonly servers: readonly string[];
}

const nat = (chain: string, match: string): Rule => ({ table: "nat", chain, match });
const mangle = (chain: string, match: string): Rule => ({ table: "mangle", chain, match });
const raw = (chain: string, match: string): Rule => ({ table: "raw", chain, match });

function excludedInterfaces({ config }: Input): Rule[] {
  return config.excludeInterfaces.flatMap((name) => [
    nat("PREROUTING", `-i ${name} -j RETURN`),
    nat("OUTPUT", `-o ${name} -j RETURN`),
    ...(config.mode === "TPROXY"
      ? [mangle("PREROUTING", `-i ${name} -j RETURN`), mangle("OUTPUT", `-o ${name} -j RETURN`)]
      : []),
  ]);
}

function redirectTargets({ config }: Input): Rule[] {
  return [
    nat("ISTIO_REDIRECT", `-p tcp -j REDIRECT --to-ports ${config.outboundPort}`),
    nat("ISTIO_IN_REDIRECT", `-p tcp -j REDIRECT --to-ports ${config.inboundPort}`),
  ];
}

function inbound({ config }: Input): Rule[] {
  const { includeInboundPorts: included, excludeInboundPorts: excluded } = config;
  if (included !== "*" && included.length === 0) return [];
  const make = config.mode === "TPROXY" ? mangle : nat;
  const target = config.mode === "TPROXY" ? "ISTIO_TPROXY" : "ISTIO_IN_REDIRECT";
  const first =
    config.mode === "TPROXY"
      ? "-p tcp -m conntrack --ctstate RELATED,ESTABLISHED -j ISTIO_DIVERT"
      : `-p tcp --dport ${PORTS.hbone} -j RETURN`;
  const captured =
    included === "*"
      ? [
          ...excluded.map((port) => make("ISTIO_INBOUND", `-p tcp --dport ${port} -j RETURN`)),
          make("ISTIO_INBOUND", `-p tcp -j ${target}`),
        ]
      : included.map((port) => make("ISTIO_INBOUND", `-p tcp --dport ${port} -j ${target}`));
  return [make("PREROUTING", "-p tcp -j ISTIO_INBOUND"), make("ISTIO_INBOUND", first), ...captured];
}

/** Traffic that comes in from a virtual machine's interface is the pod's outbound traffic. */
function virtualMachines({ config, family }: Input): Rule[] {
  return config.kubeVirtInterfaces.flatMap((name) => [
    ...cidrsOf(config.excludeOutboundCidrs, family).map((cidr) => nat("PREROUTING", `-i ${name} -d ${cidr} -j RETURN`)),
    ...(config.includeOutboundCidrs === "*"
      ? [nat("PREROUTING", `-i ${name} -j ISTIO_REDIRECT`)]
      : cidrsOf(config.includeOutboundCidrs, family).map((cidr) =>
          nat("PREROUTING", `-i ${name} -d ${cidr} -j ISTIO_REDIRECT`),
        )),
  ]);
}

function outbound(input: Input): Rule[] {
  const { config, family } = input;
  const out = (match: string) => nat("ISTIO_OUTPUT", match);
  return [
    nat("OUTPUT", "-j ISTIO_OUTPUT"),
    ...config.excludeOutboundPorts.map((port) => out(`-p tcp --dport ${port} -j RETURN`)),
    out(`-o lo -s ${PASSTHROUGH_SOURCE[family]} -j RETURN`),
    ...config.uids.flatMap((uid) => ownTraffic(input, "uid", uid)),
    ...config.gids.flatMap((gid) => ownTraffic(input, "gid", gid)),
    ...capturedDns(input).map((match) => out(match)),
    out(`-d ${LOOPBACK[family]} -j RETURN`),
    ...cidrsOf(config.excludeOutboundCidrs, family).map((cidr) => out(`-d ${cidr} -j RETURN`)),
    ...config.includeOutboundPorts.map((port) => out(`-p tcp --dport ${port} -j ISTIO_REDIRECT`)),
    ...included(input).map(out),
  ];
}

/** The proxy that calls its own pod comes in through its own door; all else it sends is let out. */
function ownTraffic({ config, family }: Input, kind: "uid" | "gid", id: string): Rule[] {
  const owner = `-m owner --${kind}-owner ${id}`;
  const other = `-m owner ! --${kind}-owner ${id}`;
  const notDns = config.dnsPort === undefined ? "" : "-p tcp ! --dport 53 ";
  const toSelf = `-o lo ! -d ${LOOPBACK[family]} -p tcp ${selfExcept(config)} ${owner}`;
  return [
    nat("ISTIO_OUTPUT", `${toSelf} -j ISTIO_IN_REDIRECT`),
    nat("ISTIO_OUTPUT", `-o lo ${notDns}${other} -j RETURN`),
    nat("ISTIO_OUTPUT", `${owner} -j RETURN`),
  ];
}

function selfExcept(config: IptablesConfig): string {
  return config.dnsPort === undefined ? `! --dport ${PORTS.hbone}` : `-m multiport ! --dports 53,${PORTS.hbone}`;
}

function capturedDns({ config }: Input): string[] {
  return config.dnsPort === undefined ? [] : ["-j ISTIO_OUTPUT_DNS"];
}

function included({ config, family }: Input): string[] {
  if (config.includeOutboundCidrs === "*") return ["-j ISTIO_REDIRECT"];
  const cidrs = cidrsOf(config.includeOutboundCidrs, family);
  return [...cidrs.map((cidr) => `-d ${cidr} -j ISTIO_REDIRECT`), "-j RETURN"];
}

function dns({ config, servers }: Input): Rule[] {
  const { dnsPort } = config;
  if (dnsPort === undefined) return [];
  const owners = [...config.uids.map((uid) => `--uid-owner ${uid}`), ...config.gids.map((gid) => `--gid-owner ${gid}`)];
  const capture = (protocol: string) =>
    servers.map((server) =>
      nat("ISTIO_OUTPUT_DNS", `-p ${protocol} --dport 53 -d ${server} -j REDIRECT --to-ports ${dnsPort}`),
    );
  return [
    ...capture("tcp"),
    ...capture("udp"),
    ...owners.flatMap((owner) => [
      raw("OUTPUT", `-p udp --dport 53 -m owner ${owner} -j CT --zone ${ZONE.proxy}`),
      raw("OUTPUT", `-p udp --sport ${dnsPort} -m owner ${owner} -j CT --zone ${ZONE.captured}`),
    ]),
    ...servers.flatMap((server) => [
      raw("OUTPUT", `-p udp --dport 53 -d ${server} -j CT --zone ${ZONE.captured}`),
      raw("PREROUTING", `-p udp --sport 53 -s ${server} -j CT --zone ${ZONE.proxy}`),
    ]),
  ];
}

/** Marks what belongs to a connection we took over, so that routing table 133 hands it to the local socket. */
function tproxy({ config, family }: Input): Rule[] {
  const taken = [
    mangle("ISTIO_DIVERT", `-j MARK --set-mark ${INBOUND_MARK}`),
    mangle("ISTIO_DIVERT", "-j ACCEPT"),
    mangle(
      "ISTIO_TPROXY",
      `! -d ${LOOPBACK[family]} -p tcp -j TPROXY --tproxy-mark ${INBOUND_MARK}/0xffffffff --on-port ${config.inboundPort}`,
    ),
    mangle("PREROUTING", `-p tcp -m mark --mark ${INBOUND_MARK} -j CONNMARK --save-mark`),
    mangle("OUTPUT", `-p tcp -m connmark --mark ${INBOUND_MARK} -j CONNMARK --restore-mark`),
  ];
  const own = config.gids.map((gid) =>
    mangle("OUTPUT", `-p tcp -o lo -m owner --gid-owner ${gid} -j MARK --set-mark ${OUTBOUND_MARK}`),
  );
  return [...taken, ...own];
}

function cidrsOf(cidrs: readonly string[], family: Family): readonly string[] {
  return cidrs.filter((cidr) => cidr.includes(":") === (family === "v6"));
}

const TABLES: readonly Table[] = ["raw", "mangle", "nat"];
const BUILT_IN = new Set(["PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"]);

/** Text for `iptables-restore --noflush`: our chains are made, or emptied when they exist; other chains stay. */
export function renderRestore(rules: readonly Rule[]): string {
  return TABLES.flatMap((table) => {
    const own = rules.filter((rule) => rule.table === table);
    if (own.length === 0) return [];
    const targets = own.flatMap(({ match }) => /-j (ISTIO_\w+)/.exec(match)?.[1] ?? []);
    const chains = [...new Set([...own.map((rule) => rule.chain), ...targets])].filter((chain) => !BUILT_IN.has(chain));
    return [
      `*${table}`,
      ...chains.map((chain) => `:${chain} - [0:0]`),
      ...own.map(({ chain, match }) => `-A ${chain} ${match}`),
      "COMMIT",
      "",
    ];
  }).join("\n");
}
