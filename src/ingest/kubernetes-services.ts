import { ANNOTATIONS } from "#api/constants/labels";
import type { Service as KubeService, ServicePort as KubeServicePort } from "#api/kubernetes/gen/types";
import { spiffeId } from "#model/identity";
import { type ClusterId, kubernetesHostname, serviceKey } from "#model/ids";
import { protocolOf } from "#model/protocol";
import type { ClusterService, Resolution } from "#model/service";

export interface ServiceContext {
  readonly cluster: ClusterId;
  /** The control plane's DNS suffix, not the remote cluster's: it makes names equal over clusters. */
  readonly domain: string;
  readonly trustDomain: string;
}

/** What one cluster's Service says. */
export function serviceFromKube(service: KubeService, context: ServiceContext): ClusterService {
  const { name = "", namespace = "", annotations = {}, creationTimestamp } = service.metadata ?? {};
  const spec = service.spec ?? {};
  const hostname = kubernetesHostname(name, namespace, context.domain);
  const ports = spec.ports ?? [];
  return {
    key: serviceKey(namespace, hostname),
    hostname,
    name,
    namespace,
    cluster: context.cluster,
    ports: ports.map((port) => ({
      name: port.name ?? "",
      port: port.port,
      protocol: protocolOf({
        name: port.name ?? "",
        port: port.port,
        transport: port.protocol ?? "TCP",
        appProtocol: port.appProtocol,
      }),
    })),
    targetPorts: Object.fromEntries(ports.map((port) => [port.name ?? "", targetPort(port)])),
    vips: virtualAddresses(spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])),
    resolution: resolutionOf(service),
    exportTo: list(annotations[ANNOTATIONS.exportTo]),
    created: creationTimestamp === undefined ? 0 : Date.parse(creationTimestamp) || 0,
    selector: spec.selector ?? {},
    identities: declaredIdentities(annotations, namespace, context.trustDomain),
    nodeLocal: spec.internalTrafficPolicy === "Local",
  };
}

function resolutionOf({ spec = {} }: KubeService): Resolution {
  if (spec.type === "ExternalName") return "alias";
  return spec.clusterIP === "None" ? "passthrough" : "client-side";
}

function virtualAddresses(addresses: readonly string[]): readonly string[] {
  return addresses.filter((address) => address !== "" && address !== "None");
}

function targetPort(port: KubeServicePort): number | string {
  return port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "" ? port.port : port.targetPort;
}

function declaredIdentities(
  annotations: Readonly<Record<string, string>>,
  namespace: string,
  trustDomain: string,
): readonly string[] {
  return [
    ...list(annotations[ANNOTATIONS.canonicalServiceAccounts]),
    ...list(annotations[ANNOTATIONS.kubernetesServiceAccounts]).map((account) =>
      spiffeId(trustDomain, namespace, account),
    ),
  ];
}

function list(value: string | undefined): readonly string[] {
  return (value ?? "").split(",").flatMap((part) => part.trim() || []);
}
