// Every resource name that two programs must agree on, built and parsed here and nowhere else.

export type Direction = "outbound" | "inbound";

export interface ClusterName {
  readonly direction: Direction;
  readonly port: number;
  /** Empty when the cluster is not of a subset. */
  readonly subset: string;
  /** Empty for inbound clusters. */
  readonly hostname: string;
}

/** `outbound|5000|v1|helloworld.sample.svc.cluster.local`, `inbound|5000||`. */
export function buildClusterName(name: ClusterName): string {
  return `${name.direction}|${name.port}|${name.subset}|${name.hostname}`;
}

export function parseClusterName(text: string): ClusterName | undefined {
  return parse(text.split("|"));
}

/** The SNI and gateway cluster form: `outbound_.5000_.v1_.helloworld.sample.svc.cluster.local`, always lower case. */
export function buildSniClusterName(name: ClusterName): string {
  return `${name.direction}_.${name.port}_.${name.subset}_.${name.hostname}`.toLowerCase();
}

export function parseSniClusterName(text: string): ClusterName | undefined {
  return parse(text.split("_."));
}

function parse(parts: readonly string[]): ClusterName | undefined {
  const [direction, portText, subset, hostname] = parts;
  if (parts.length !== 4 || subset === undefined || hostname === undefined) return undefined;
  if (direction !== "outbound" && direction !== "inbound") return undefined;
  const port = Number(portText);
  return Number.isInteger(port) && port > 0 && port < 65_536 ? { direction, port, subset, hostname } : undefined;
}

/** Clusters and listeners with fixed names. */
export const FIXED_NAMES = {
  blackHole: "BlackHoleCluster",
  passthrough: "PassthroughCluster",
  inboundPassthrough: "InboundPassthroughCluster",
  virtualOutbound: "virtualOutbound",
  virtualInbound: "virtualInbound",
  secretDefault: "default",
  secretRoot: "ROOTCA",
  xdsCluster: "xds-grpc",
} as const;
