/** Labels that Istio defines; the keys are part of the interface to users. */
export const LABELS = {
  network: "topology.istio.io/network",
  cluster: "topology.istio.io/cluster",
  subzone: "topology.istio.io/subzone",
  gatewayPort: "networking.istio.io/gatewayPort",
  tlsMode: "security.istio.io/tlsMode",
  canonicalName: "service.istio.io/canonical-name",
  canonicalRevision: "service.istio.io/canonical-revision",
  injection: "istio-injection",
  inject: "sidecar.istio.io/inject",
  revision: "istio.io/rev",
  multiCluster: "istio/multiCluster",
  locality: "istio-locality",
  owningResource: "install.operator.istio.io/owning-resource",
  owningResourceNamespace: "install.operator.istio.io/owning-resource-namespace",
  component: "operator.istio.io/component",
  managed: "operator.istio.io/managed",
  version: "operator.istio.io/version",
  config: "istio.io/config",
  serviceName: "kubernetes.io/service-name",
  region: "topology.kubernetes.io/region",
  zone: "topology.kubernetes.io/zone",
  hostname: "kubernetes.io/hostname",
} as const;

/** Annotations that Istio defines. */
export const ANNOTATIONS = {
  status: "sidecar.istio.io/status",
  remoteCluster: "networking.istio.io/cluster",
  exportTo: "networking.istio.io/exportTo",
  canonicalServiceAccounts: "alpha.istio.io/canonical-serviceaccounts",
  kubernetesServiceAccounts: "alpha.istio.io/kubernetes-serviceaccounts",
  proxyConfig: "proxy.istio.io/config",
  templates: "inject.istio.io/templates",
  overrides: "proxy.istio.io/overrides",
} as const;

export const TLS_MODE_ISTIO = "istio";
