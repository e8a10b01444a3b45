// Filter chains of one inbound port: the table of declared protocol by mTLS mode.

import { ALPN } from "#api/constants/names";
import type { MtlsMode } from "#api/security/peer-authentication/types";
import type { Protocol } from "#model/protocol";
import { isHttp } from "#model/protocol";
import { type FilterChain, PLAIN_HTTP } from "./listener.ts";

type Mode = Exclude<MtlsMode, "UNSET">;
type Kind = "http" | "tcp" | "auto";

/** One chain: what it matches, whether it ends mesh mTLS, and what it speaks inside. */
interface Row {
  readonly transport: "tls" | "raw_buffer";
  readonly alpn?: readonly string[];
  readonly mtls: boolean;
  readonly inside: "http" | "tcp";
}

const rawHttp: Row = { transport: "raw_buffer", mtls: false, inside: "http" };
const rawTcp: Row = { transport: "raw_buffer", mtls: false, inside: "tcp" };
const sniffedHttp: Row = { ...rawHttp, alpn: PLAIN_HTTP };
/** TLS of the application's own, which the proxy does not open. */
const foreignTls: Row = { transport: "tls", mtls: false, inside: "tcp" };
const mesh = (inside: Row["inside"], alpn?: readonly string[]): Row => ({
  transport: "tls",
  mtls: true,
  inside,
  ...(alpn === undefined ? {} : { alpn }),
});

const meshTcpAlpn = ALPN.mesh.filter((name) => !ALPN.meshHttp.some((http) => http === name));

const TABLE: Readonly<Record<Kind, Readonly<Record<Mode, readonly Row[]>>>> = {
  http: {
    PERMISSIVE: [mesh("http", ALPN.mesh), rawHttp],
    STRICT: [mesh("http")],
    DISABLE: [rawHttp],
  },
  tcp: {
    PERMISSIVE: [mesh("tcp", ALPN.mesh), foreignTls, rawTcp],
    STRICT: [mesh("tcp")],
    DISABLE: [rawTcp],
  },
  auto: {
    PERMISSIVE: [mesh("http", ALPN.meshHttp), sniffedHttp, mesh("tcp", meshTcpAlpn), rawTcp, foreignTls],
    STRICT: [mesh("http", ALPN.meshHttp), mesh("tcp")],
    DISABLE: [sniffedHttp, rawTcp],
  },
};

export interface InboundPort {
  readonly protocol: Protocol;
  readonly mode: Mode;
  /** Names of the chains by what they speak. */
  readonly names: Readonly<Record<Row["inside"], string>>;
  /** Undefined for what no service declares. */
  readonly port: number | undefined;
  readonly filters: Readonly<Record<Row["inside"], () => NonNullable<FilterChain["filters"]>>>;
  readonly transportSocket: () => NonNullable<FilterChain["transportSocket"]>;
}

export function inboundChains(inbound: InboundPort): readonly FilterChain[] {
  return TABLE[kindOf(inbound.protocol)][inbound.mode].map((row) => ({
    name: inbound.names[row.inside],
    filterChainMatch: {
      ...(inbound.port === undefined ? {} : { destinationPort: inbound.port }),
      transportProtocol: row.transport,
      applicationProtocols: [...(row.alpn ?? [])],
    },
    filters: inbound.filters[row.inside](),
    ...(row.mtls ? { transportSocket: inbound.transportSocket() } : {}),
  }));
}

/** True when plain HTTP has to be told from other plain bytes. */
export function needsHttpInspector(protocol: Protocol, mode: Mode): boolean {
  return kindOf(protocol) === "auto" && mode !== "STRICT";
}

function kindOf(protocol: Protocol): Kind {
  if (protocol === "auto") return "auto";
  return isHttp(protocol) ? "http" : "tcp";
}
