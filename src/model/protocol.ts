// How the protocol of a service port is told: appProtocol, then the port's name, then well-known numbers.

/** `auto` is told per connection; `udp` ports get no configuration. */
export type Protocol = "http" | "http2" | "grpc" | "grpc-web" | "https" | "tls" | "tcp" | "udp" | "auto";

/** mysql, redis and mongo are carried as plain TCP: Istio too has their filters switched off by default. */
const BY_NAME: Readonly<Record<string, Protocol>> = {
  http: "http",
  http2: "http2",
  grpc: "grpc",
  "grpc-web": "grpc-web",
  https: "https",
  tls: "tls",
  tcp: "tcp",
  udp: "udp",
  mongo: "tcp",
  redis: "tcp",
  mysql: "tcp",
  "kubernetes.io/h2c": "http2",
  "kubernetes.io/ws": "http",
  "kubernetes.io/wss": "https",
};

/** The server speaks first on these: waiting for the client's first bytes would hang. */
const SERVER_SPEAKS_FIRST: ReadonlySet<number> = new Set([25, 53, 3306, 27017]);

export interface PortDescription {
  readonly name: string;
  readonly port: number;
  /** Kubernetes' transport: TCP, UDP or SCTP. */
  readonly transport: string;
  readonly appProtocol?: string | undefined;
}

export function protocolOf(port: PortDescription): Protocol {
  if (port.transport !== "TCP") return "udp";
  const declared = port.appProtocol === undefined ? undefined : BY_NAME[port.appProtocol.toLowerCase()];
  if (declared !== undefined) return declared;
  const name = port.name.toLowerCase();
  if (name === "grpc-web" || name.startsWith("grpc-web-")) return "grpc-web";
  const byName = BY_NAME[name.split("-")[0] ?? ""];
  if (byName !== undefined) return byName;
  return SERVER_SPEAKS_FIRST.has(port.port) ? "tcp" : "auto";
}

/** Routed by HTTP rules. */
export function isHttp(protocol: Protocol): boolean {
  return protocol === "http" || protocol === "http2" || protocol === "grpc" || protocol === "grpc-web";
}

/** Upstream connections speak HTTP/2 with prior knowledge. */
export function isHttp2(protocol: Protocol): boolean {
  return protocol === "http2" || protocol === "grpc" || protocol === "grpc-web";
}
