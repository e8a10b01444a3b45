export const TLS_MODES = [
  "PASSTHROUGH",
  "SIMPLE",
  "MUTUAL",
  "AUTO_PASSTHROUGH",
  "ISTIO_MUTUAL",
  "OPTIONAL_MUTUAL",
] as const;
export type ServerTlsMode = (typeof TLS_MODES)[number];

export const SERVER_PROTOCOLS = ["HTTP", "HTTPS", "GRPC", "GRPC-WEB", "HTTP2", "MONGO", "TCP", "TLS"] as const;
export type ServerProtocol = (typeof SERVER_PROTOCOLS)[number];

/** One port that a gateway opens. */
export interface GatewayServer {
  readonly name: string;
  readonly port: { readonly number: number; readonly name: string; readonly protocol: ServerProtocol };
  /** Address to listen on; "" is all. */
  readonly bind: string;
  /** `*.local`, `ns/*.local`, `./host`. */
  readonly hosts: readonly string[];
  readonly tls?: { readonly mode: ServerTlsMode; readonly httpsRedirect: boolean; readonly credentialName: string };
}

/** networking.istio.io Gateway, its spec. */
export interface Gateway {
  /** Labels of the proxies it applies to, in all namespaces; empty applies to every gateway. */
  readonly selector: Readonly<Record<string, string>>;
  readonly servers: readonly GatewayServer[];
}
