// Which Services are ways into a network, and which are meant to be but cannot be used yet.
import { isIP } from "node:net";
import { LABELS } from "#api/constants/labels";
import { PORTS } from "#api/constants/ports";
import type { Service as KubeService } from "#api/kubernetes/gen/types";
import type { MeshNetworks } from "#api/mesh-config/mesh-networks";
import { type ClusterId, clusterId, kubernetesHostname, type NetworkId, networkId } from "#model/ids";
import type { GatewayProblem, NetworkGateway } from "#model/network";
import type { GatewayFacts } from "./fact.ts";

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
    unusable: facts.flatMap((fact) => fact.unusable),
  };
}

/** Gateways that meshNetworks names by address; they stand for no cluster in particular. */
export function gatewaysFromMeshNetworks(meshNetworks: MeshNetworks): GatewayFacts {
  const listed = meshNetworks.flatMap(({ network, gateways }) =>
    gateways.filter(({ address }) => address !== "").map((gateway) => ({ ...gateway, network: networkId(network) })),
  );
  const source = "meshNetworks";
  const cluster = clusterId("");
  return {
    gateways: listed
      .filter(({ address, port }) => isIP(address) !== 0 && port > 0)
      .map(({ network, address, port }) => ({ network, cluster, address, port, source })),
    unusable: listed
      .filter(({ address, port }) => isIP(address) === 0 || port <= 0)
      .map(({ network, address, port }) => ({
        network,
        cluster,
        source,
        ...(port > 0
          ? unresolved(address)
          : { reason: "port-invalid" as const, message: `gateway ${address} has no port` }),
      })),
  };
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
  const unusable = (reason: GatewayProblem, message: string) => ({ network, cluster, source, reason, message });
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    const message = `label ${LABELS.gatewayPort} of ${source} in ${cluster} is no port number`;
    return { gateways: [], unusable: [unusable("port-invalid", message)] };
  }
  if (!(service.spec?.ports ?? []).some((exposed) => exposed.port === port)) {
    const message = `${source} in ${cluster} stands for network ${network} but does not expose port ${port}`;
    return { gateways: [], unusable: [unusable("port-not-exposed", message)] };
  }
  const { ips, hostnames } = externalAddresses(service);
  const waiting = hostnames.map((host) => unresolved(host)).map(({ reason, message }) => unusable(reason, message));
  if (ips.length === 0 && hostnames.length === 0) {
    waiting.push(unusable("no-address", `${source} in ${cluster} has no external address yet (status.loadBalancer)`));
  }
  const gateways = ips.map((address): NetworkGateway => ({ network, cluster, address, port, source }));
  return { gateways, unusable: waiting };
}

function unresolved(host: string): { readonly reason: GatewayProblem; readonly message: string } {
  return {
    reason: "hostname-unresolved",
    message: `gateway address ${host} is a host name, which is not resolved yet`,
  };
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
    hostnames: ingress.flatMap(({ ip, hostname }) => (ip || !hostname ? [] : [hostname])).sort(),
  };
}
