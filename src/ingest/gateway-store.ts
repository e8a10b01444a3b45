import { contentHash } from "#base/content-hash";
import type { Endpoint } from "#model/endpoint";
import type { ClusterId, ServiceKey } from "#model/ids";
import type { MeshChange } from "#model/mesh-change";
import { compareGateways, type NetworkGateway, type Networks, NO_NETWORKS, type UnusableGateway } from "#model/network";
import { sameFacts } from "#model/same-facts";
import type { GatewayFacts, HostAddresses, HostGateway } from "./fact.ts";

/** The endpoints that a cluster has for a service. */
export type EndpointsOf = (cluster: ClusterId, service: ServiceKey) => readonly Endpoint[];

/**
 * Gateways into networks by the object that declares them, with what DNS says of those that have a name only, and with
 * an epoch that follows the pods behind each.
 */
export class GatewayStore {
  readonly #endpointsOf: EndpointsOf;
  readonly #facts = new Map<
    string,
    { readonly cluster: ClusterId; readonly source: string; readonly value: GatewayFacts }
  >();
  readonly #resolved = new Map<string, HostAddresses>();
  #snapshot: Networks | undefined = NO_NETWORKS;

  constructor(endpointsOf: EndpointsOf) {
    this.#endpointsOf = endpointsOf;
  }

  /** The same object until something changes. */
  get networks(): Networks {
    this.#snapshot ??= this.#build();
    return this.#snapshot;
  }

  apply(cluster: ClusterId, source: string, value: GatewayFacts | undefined): readonly MeshChange[] {
    const key = `${cluster} ${source}`;
    if (sameFacts(this.#facts.get(key)?.value, value)) return [];
    if (value === undefined) this.#facts.delete(key);
    else this.#facts.set(key, { cluster, source, value });
    return this.#changed();
  }

  /** Takes what DNS says of a host; undefined forgets it. */
  applyHost(host: string, value: HostAddresses | undefined): readonly MeshChange[] {
    if (sameFacts(this.#resolved.get(host), value)) return [];
    if (value === undefined) this.#resolved.delete(host);
    else this.#resolved.set(host, value);
    return this.#changed();
  }

  /** Says that a service has other endpoints now. */
  applyEndpoints(cluster: ClusterId, service: ServiceKey): readonly MeshChange[] {
    const known = this.networks.gateways.filter((each) => each.cluster === cluster && each.service === service);
    if (known.length === 0) return [];
    const epoch = epochOf(this.#endpointsOf(cluster, service));
    return known.every((gateway) => gateway.epoch === epoch) ? [] : this.#changed();
  }

  /** Every host name that some object gives as the address of a gateway. */
  hosts(): ReadonlySet<string> {
    return new Set([...this.#facts.values()].flatMap(({ value }) => value.hosts.map(({ host }) => host)));
  }

  sourcesOf(cluster: ClusterId): readonly string[] {
    return [...this.#facts.values()].flatMap((fact) => (fact.cluster === cluster ? [fact.source] : []));
  }

  #changed(): readonly MeshChange[] {
    this.#snapshot = undefined;
    return [{ kind: "networks" }];
  }

  #build(): Networks {
    const facts = [...this.#facts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact.value);
    const hosts = facts.flatMap((fact) => fact.hosts);
    const gateways = [...facts.flatMap((fact) => fact.gateways), ...hosts.flatMap((host) => this.#gatewaysOf(host))];
    const unusable = [...facts.flatMap((fact) => fact.unusable), ...hosts.flatMap((host) => this.#whyUnusable(host))];
    return Object.freeze({
      gateways: Object.freeze(withoutDuplicates(gateways.sort(compareGateways)).map((each) => this.#withEpoch(each))),
      unusable: Object.freeze(unusable),
    });
  }

  #withEpoch(gateway: NetworkGateway): NetworkGateway {
    const { cluster, service } = gateway;
    const epoch = service === undefined ? undefined : epochOf(this.#endpointsOf(cluster, service));
    return epoch === undefined ? gateway : { ...gateway, epoch };
  }

  #gatewaysOf({ host, ...rest }: HostGateway): readonly NetworkGateway[] {
    return (this.#resolved.get(host)?.addresses ?? []).map((address) => ({ ...rest, address }));
  }

  #whyUnusable({ host, network, cluster, source }: HostGateway): readonly UnusableGateway[] {
    const known = this.#resolved.get(host);
    if (known !== undefined && known.addresses.length > 0) return [];
    const why = known?.problem === undefined ? "has not been resolved yet" : `cannot be resolved: ${known.problem}`;
    const message = `the address of ${source} is the host name ${host}, which ${why}`;
    return [{ network, cluster, source, reason: "hostname-unresolved", message }];
  }
}

/** A function of who serves now, so that restarts and the order of events leave no trace. */
function epochOf(endpoints: readonly Endpoint[]): string | undefined {
  const serving = endpoints.filter(({ health }) => health === "healthy");
  if (serving.length === 0) return undefined;
  const pods = serving.map(({ addresses, pod }) => `${pod} ${addresses}`);
  return contentHash(pods.sort().join("\n")).slice(0, 8);
}

/** One door counts once, however many objects name it: weights are divided by the number of doors. */
function withoutDuplicates(sorted: readonly NetworkGateway[]): readonly NetworkGateway[] {
  const doorOf = ({ network, cluster, address, port }: NetworkGateway) => [network, cluster, address, port].join(" ");
  return sorted.filter((gateway, index) => {
    const before = sorted[index - 1];
    return before === undefined || doorOf(before) !== doorOf(gateway);
  });
}
