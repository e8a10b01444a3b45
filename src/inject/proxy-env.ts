import type { EnvVar } from "#api/kubernetes/gen/types";
import type { InjectionContext } from "./injection-context.ts";
import { proxyConfigDelta } from "./proxy-config.ts";
import { readTextMap } from "./raw-object.ts";
import { ownerUrl } from "./workload.ts";

const fromField = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });

const fromLimit = (name: string, resource: string): EnvVar => ({
  name,
  valueFrom: { resourceFieldRef: { resource: `limits.${resource}` } },
});

/** Environment of sidecars and injected gateways; Istio's names in Istio's order. */
export function proxyEnv(context: InjectionContext): EnvVar[] {
  const { settings, canonical } = context;
  return [
    { name: "JWT_POLICY", value: "third-party-jwt" },
    { name: "PILOT_CERT_PROVIDER", value: "istiod" },
    { name: "CA_ADDR", value: settings.caAddress },
    fromField("POD_NAME", "metadata.name"),
    fromField("POD_NAMESPACE", "metadata.namespace"),
    fromField("INSTANCE_IP", "status.podIP"),
    fromField("SERVICE_ACCOUNT", "spec.serviceAccountName"),
    fromField("HOST_IP", "status.hostIP"),
    fromLimit("ISTIO_CPU_LIMIT", "cpu"),
    { name: "CANONICAL_SERVICE", value: canonical.name },
    { name: "CANONICAL_REVISION", value: canonical.revision },
    { name: "PROXY_CONFIG", value: JSON.stringify(proxyConfigDelta(context.proxyConfig, settings.systemNamespace)) },
    { name: "ISTIO_META_POD_PORTS", value: JSON.stringify(podPorts(context)) },
    { name: "ISTIO_META_APP_CONTAINERS", value: context.appContainers.map((container) => container.name).join(",") },
    fromLimit("GOMEMLIMIT", "memory"),
    fromLimit("GOMAXPROCS", "cpu"),
    { name: "ISTIO_META_CLUSTER_ID", value: settings.clusterId },
    fromField("ISTIO_META_NODE_NAME", "spec.nodeName"),
    { name: "ISTIO_META_INTERCEPTION_MODE", value: context.interceptionMode },
    ...network(context),
    { name: "ISTIO_META_WORKLOAD_NAME", value: context.workload.name },
    { name: "ISTIO_META_OWNER", value: ownerUrl(context.workload, context.namespace) },
    { name: "ISTIO_META_MESH_ID", value: settings.meshId },
    { name: "TRUST_DOMAIN", value: settings.trustDomain },
    ...bootstrapOverride(context),
    ...proxyMetadata(context),
  ];
}

function podPorts(context: InjectionContext) {
  return context.appContainers.flatMap((container) => container.ports ?? []);
}

/** The pod's own network label wins over the cluster's network, as it does for its endpoint. */
function network(context: InjectionContext): EnvVar[] {
  const value = context.labels["topology.istio.io/network"] || context.settings.network;
  return value === "" ? [] : [{ name: "ISTIO_META_NETWORK", value }];
}

function bootstrapOverride(context: InjectionContext): EnvVar[] {
  if (context.annotations["sidecar.istio.io/bootstrapOverride"] === undefined) return [];
  return [{ name: "ISTIO_BOOTSTRAP_OVERRIDE", value: "/etc/istio/custom-bootstrap/custom_bootstrap.json" }];
}

function proxyMetadata(context: InjectionContext): EnvVar[] {
  return Object.entries(readTextMap(context.proxyConfig, "proxyMetadata")).map(([name, value]) => ({ name, value }));
}
