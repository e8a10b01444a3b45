/** Names of objects and values that programs of the mesh agree on. */
export const NAMES = {
  systemNamespace: "istio-system",
  trustDomain: "cluster.local",
  domain: "cluster.local",
  rootCertConfigMap: "istio-ca-root-cert",
  rootCertKey: "root-cert.pem",
  meshConfigMap: "istio",
  injectorConfigMap: "istio-sidecar-injector",
  plugInCaSecret: "cacerts",
  selfSignedCaSecret: "istio-ca-secret",
  readerServiceAccount: "istio-reader-service-account",
  tokenAudience: "istio-ca",
  injectorWebhook: "istio-sidecar-injector",
  eastWestGateway: "istio-eastwestgateway",
  defaultClusterId: "Kubernetes",
} as const;

/** Where things lie inside a proxy or control plane container. */
export const PATHS = {
  serviceAccountToken: "/var/run/secrets/kubernetes.io/serviceaccount/token",
  istioToken: "/var/run/secrets/tokens/istio-token",
  rootCert: "/var/run/secrets/istio/root-cert.pem",
  proxyConfig: "/etc/istio/proxy",
  podInfo: "/etc/istio/pod",
  plugInCa: "/etc/cacerts",
  workloadSocket: "/var/run/secrets/workload-spiffe-uds",
  envoyBinary: "/usr/local/bin/envoy",
} as const;

/** ALPN names that mark mesh traffic. `istio-peer-exchange` is matched but never offered (docs/istio-differences.md). */
export const ALPN = {
  mesh: ["istio", "istio-peer-exchange", "istio-http/1.0", "istio-http/1.1", "istio-h2"],
  meshHttp: ["istio-http/1.0", "istio-http/1.1", "istio-h2"],
} as const;

/** The Istio release whose behaviour we follow, reported to clients that ask for a version. */
export const ISTIO_COMPATIBLE_VERSION = "1.31.0";
/** Our own version; package.json carries the same, a test holds them together. */
export const ISTHMUS_VERSION = "0.1.0";

/** The name of an object that each revision has for itself: `istio`, `istio-canary`. */
export function withRevision(name: string, revision: string): string {
  return revision === "default" || revision === "" ? name : `${name}-${revision}`;
}
