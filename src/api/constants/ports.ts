/** Istio's ports, the ones every manifest, bootstrap and listener has to agree on. */
export const PORTS = {
  /** Envoy's admin interface, loopback only. */
  envoyAdmin: 15000,
  outbound: 15001,
  inbound: 15006,
  /** xDS in plain text, inside the control plane's network only. */
  grpcXds: 15010,
  /** xDS and certificates over TLS. */
  grpcTls: 15012,
  controlPlaneMonitoring: 15014,
  webhook: 15017,
  controlPlaneHttp: 8080,
  /** The agent: merged metrics, readiness, probes. */
  agentStatus: 15020,
  /** Envoy's own readiness listener, relayed to the agent. */
  proxyHealth: 15021,
  /** Envoy's own metrics. */
  proxyStats: 15090,
  dnsProxy: 15053,
  hbone: 15008,
  eastWestGateway: 15443,
} as const;

/** User and group of the proxy, whose traffic is never redirected. */
export const PROXY_UID = 1337;

/** Source address of connections that Envoy opens to its own application (iptables lets them pass). */
export const INBOUND_PASSTHROUGH_SOURCE = "127.0.0.6";
