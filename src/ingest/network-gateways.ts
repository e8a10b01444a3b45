// Which Services are ways into a network, and which are meant to be but cannot be used yet.
import { isIP } from "node:net";
import { LABELS } from "#api/constants/labels";
import { PORTS } from "#api/constants/ports";
import type { Service as KubeService } from "#api/kubernetes/gen/types";
import type { MeshNetworks } from "#api/mesh-config/mesh-networks";
import { type ClusterId, clusterId, kubernetesHostname, type NetworkId, networkId, serviceKey } from "#model/ids";
import type { GatewayProblem, NetworkGateway } from "#model/network";
import type { GatewayFacts, HostGateway } from "./fact.ts";

export interface GatewayContext {
  readonly cluster: ClusterId;
  readonly domain: string;
  readonly meshNetworks: MeshNetworks;
}

interface Declaration {
  readonly network: NetworkId;
  readonly port: number;
}

/** What a Service says about ways into networks, by label or because meshNetworks names it; undefined when nothing. */
export function gatewaysFromService(service: KubeService, context: GatewayContext): GatewayFacts | undefined {
  const declared = [...declaredByLabel(service), ...declaredByMeshNetworks(service, context)];
  if (declared.length === 0) return undefined;
  const facts = declared.map((declaration) => resolve(service, declaration, context));
  return {
    gateways: facts.flatMap((fact) => fact.gateways),
    hosts: facts.flatMap((fact) => fact.hosts),
    unusable: facts.flatMap((fact) => fact.unusable),
  };
}

/** Gateways that meshNetworks names by address; they stand for no cluster in particular. */
export function gatewaysFromMeshNetworks(meshNetworks: MeshNetworks): GatewayFacts {
  const source = "meshNetworks";
  const cluster = clusterId("");
  const listed = meshNetworks.flatMap(({ network, gateways }) =>
    gateways
      .filter(({ address }) => address !== "")
      .map(({ address, port }) => ({ network: networkId(network), cluster, address, port, source })),
  );
  const usable = listed.filter(({ port }) => port > 0);
  return {
    gateways: usable.filter(({ address }) => isIP(address) !== 0),
    hosts: usable
      .filter(({ address }) => isIP(address) === 0)
      .map(({ address, ...rest }) => ({ ...rest, host: hostOf(address) })),
    unusable: listed
      .filter(({ port }) => port <= 0)
      .map(({ network, address }) => ({
        network,
        cluster,
        source,
        reason: "port-invalid" as const,
        message: `gateway ${address} has no port`,
      })),
  };
}

/** One form for one name, so that it is asked for once. */
function hostOf(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

function declaredByLabel(service: KubeService): readonly Declaration[] {
  const labels = service.metadata?.labels ?? {};
  const network = labels[LABELS.network];
  if (!network) return [];
  return [{ network: networkId(network), port: Number(labels[LABELS.gatewayPort] ?? PORTS.eastWestGateway) }];
}

function declaredByMeshNetworks(service: KubeService, context: GatewayContext): readonly Declaration[] {
  const { name = "", namespace = "" } = service.metadata ?? {};
  const host: string = kubernetesHostname(name, namespace, context.domain);
  return context.meshNetworks.flatMap(({ network, gateways }) =>
    gateways
      .filter((gateway) => gateway.registryServiceName === host)
      .map((gateway) => ({ network: networkId(network), port: gateway.port })),
  );
}

function resolve(service: KubeService, { network, port }: Declaration, context: GatewayContext): GatewayFacts {
  const { name = "", namespace = "" } = service.metadata ?? {};
  const source = `Service ${namespace}/${name}`;
  const { cluster } = context;
  const refused = (reason: GatewayProblem, message: string): GatewayFacts => ({
    gateways: [],
    hosts: [],
    unusable: [{ network, cluster, source, reason, message }],
  });
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    return refused("port-invalid", `label ${LABELS.gatewayPort} of ${source} in ${cluster} is no port number`);
  }
  if (!(service.spec?.ports ?? []).some((exposed) => exposed.port === port)) {
    const message = `${source} in ${cluster} stands for network ${network} but does not expose port ${port}`;
    return refused("port-not-exposed", message);
  }
  const { ips, hostnames } = externalAddresses(service);
  if (ips.length === 0 && hostnames.length === 0) {
    return refused("no-address", `${source} in ${cluster} has no external address yet (status.loadBalancer)`);
  }
  const behind = serviceKey(namespace, kubernetesHostname(name, namespace, context.domain));
  const door = { network, cluster, port, source, service: behind };
  const gateways = ips.map((address): NetworkGateway => ({ ...door, address }));
  const hosts = hostnames.map((host): HostGateway => ({ ...door, host }));
  return { gateways, hosts, unusable: [] };
}

/** Load balancer addresses and externalIPs. Node ports are reached only where an annotation says so: not read yet. */
function externalAddresses(service: KubeService): {
  readonly ips: readonly string[];
  readonly hostnames: readonly string[];
} {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const ips = [...ingress.flatMap(({ ip }) => ip ?? []), ...(service.spec?.externalIPs ?? [])];
  return {
    ips: [...new Set(ips)].sort(),
    hostnames: [...new Set(ingress.flatMap(({ ip, hostname }) => (ip || !hostname ? [] : [hostOf(hostname)])))].sort(),
  };
}
