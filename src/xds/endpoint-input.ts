import { shardsOf } from "#model/endpoint";
import type { NetworkId } from "#model/ids";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { Service } from "#model/service";
import type { ClusterSpec } from "./cluster-spec.ts";
import type { EndpointClient, EndpointInput } from "./endpoint-placement.ts";
import { hostMatches } from "./host-match.ts";
import type { MtlsRule } from "./mtls-rule.ts";
import type { ProxyView } from "./proxy-view.ts";

/** All that the endpoints of one cluster of one proxy depend on. */
export function endpointInput(view: ProxyView, spec: ClusterSpec): EndpointInput {
  const { snapshot } = view;
  return {
    clusterName: spec.name,
    portName: spec.port.name,
    shards: shardsOf(snapshot.endpoints, spec.service.key),
    subset: spec.subset,
    client: clientOf(view, spec),
    gateways: snapshot.networks.gateways,
    mtls: mtlsRule(snapshot, spec),
    passthrough: spec.form === "passthrough",
  };
}

export function mtlsRule(snapshot: MeshSnapshot, spec: Pick<ClusterSpec, "rule">): MtlsRule {
  const { config } = snapshot.mesh;
  return {
    autoMtls: config.enableAutoMtls,
    tlsMode: spec.rule?.tlsMode,
    peerAuthentications: snapshot.policies.PeerAuthentication,
    rootNamespace: config.rootNamespace,
  };
}

function clientOf(view: ProxyView, { service, form }: ClusterSpec): EndpointClient {
  const { proxy, snapshot } = view;
  return {
    network: proxy.network,
    onlyCluster: isClusterLocal(snapshot, service) ? proxy.cluster : undefined,
    onlyNode: service.nodeLocal ? proxy.nodeName : undefined,
    networkView: form === "passthrough" ? ownNetwork(proxy.network) : proxy.requestedNetworkView,
    ipv4: proxy.ips.some((address) => !address.includes(":")),
    ipv6: proxy.ips.some((address) => address.includes(":")),
  };
}

/** An east-west gateway leads into its own network only: leading on to another one could go in circles. */
function ownNetwork(network: NetworkId): readonly NetworkId[] {
  return network === "" ? [] : [network];
}

/** Whether each cluster keeps this service to itself: meshConfig.serviceSettings, else the built-in list. */
function isClusterLocal(snapshot: MeshSnapshot, service: Service): boolean {
  const { config, domain, systemNamespace } = snapshot.mesh;
  const builtIn = [
    `*.kube-system.svc.${domain}`,
    `kubernetes.default.svc.${domain}`,
    `istiod.${systemNamespace}.svc.${domain}`,
  ];
  const settings = [
    ...config.serviceSettings.flatMap(({ hosts, clusterLocal }) => hosts.map((host) => ({ host, clusterLocal }))),
    ...builtIn.map((host) => ({ host, clusterLocal: true })),
  ].filter(({ host }) => hostMatches(host, service.hostname));
  // Exact names are the most specific, then longer suffixes; a written setting stands before the built-in one.
  const rank = (host: string) => (host.startsWith("*") ? host.length : host.length + 1000);
  return [...settings].sort((a, b) => rank(b.host) - rank(a.host))[0]?.clusterLocal ?? false;
}
