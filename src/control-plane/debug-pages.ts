// State that one would log has a page: the same JSON for commands, dashboard and people with curl.
import type { AdsService } from "#ads/ads-service";
import type { ConnectionStatus, TypeStatus } from "#ads/connection-status";
import type {
  ClusterStatusEntry,
  ConnectionEntry,
  ConnectionsPage,
  NetworkGatewayEntry,
  SyncStatusEntry,
  TrustPage,
  WhyNotEntry,
} from "#api/debug/debug-pages";
import { type XdsType, xdsTypeOf } from "#envoy/types";
import type { MeshStore } from "#ingest/mesh-store";
import type { RemoteClusters } from "#ingest/remote-clusters";
import type { MeshSnapshot } from "#model/mesh-snapshot";
import type { Authority } from "./authority.ts";
import type { InjectionWatch } from "./injection-watch.ts";
import type { MeshResources } from "./mesh-resources.ts";
import type { MeshPush } from "./push-batcher.ts";
import { fingerprintsOf, type TrustWatch } from "./trust.ts";

/** What the pages look at; they change nothing. */
export interface DebugSources {
  readonly store: MeshStore;
  readonly resources: MeshResources;
  readonly ads: AdsService<MeshPush>;
  readonly remoteClusters: Pick<RemoteClusters, "status">;
  readonly trust: TrustWatch;
  readonly authority: Authority;
  readonly injection: InjectionWatch;
  readonly ownCluster: {
    readonly id: string;
    readonly hasSynced: () => boolean;
    readonly problem: () => string | undefined;
  };
  readonly podName: string;
  readonly lastPush: () => MeshPush | undefined;
}

export interface DebugPage {
  readonly about: string;
  render(sources: DebugSources, query: URLSearchParams): unknown;
}

/** By path below /debug/. */
export const DEBUG_PAGES: Readonly<Record<string, DebugPage>> = {
  syncz: { about: "what each proxy was sent and accepted", render: syncStatus },
  config_dump: { about: "the configuration made for the proxy ?proxyID=pod.namespace", render: configDump },
  adsz: { about: "connected proxies and what they subscribed to", render: (sources) => connections(sources, true) },
  connections: { about: "connected proxies", render: (sources) => connections(sources, false) },
  edsz: { about: "endpoints made for the proxy ?proxyID=pod.namespace", render: endpointDump },
  endpointShardz: {
    about: "endpoints as each cluster gave them",
    render: ({ store }) => endpointShards(store.current),
  },
  registryz: { about: "services of the mesh", render: ({ store }) => services(store.current) },
  clusterz: { about: "clusters and whether they are in sync", render: clusters },
  networkz: { about: "gateways into each network", render: ({ store }) => networks(store.current) },
  mesh: { about: "the mesh configuration in force", render: ({ store }) => store.current.mesh.config },
  push_status: { about: "the last push, and objects that are refused", render: pushStatus },
  inject: {
    about: "the injection settings in force",
    render: ({ injection }) => ({ problem: injection.problem(), settings: injection.settings() }),
  },
  whynotz: { about: "what is known but not used, and why; ?proxyID=pod.namespace for one proxy", render: whyNot },
  trustz: { about: "own roots and those of each remote cluster", render: trust },
  list: { about: "this list", render: () => pageList() },
};

function pageList(): Record<string, string> {
  return Object.fromEntries(Object.entries(DEBUG_PAGES).map(([path, page]) => [`/debug/${path}`, page.about]));
}

function metadataText(connection: ConnectionStatus, key: string): string {
  const value = connection.node.metadata[key];
  return typeof value === "string" ? value : "";
}

/** `pod.namespace`, as commands name a proxy. */
function proxyName(connection: ConnectionStatus): string {
  return connection.node.id.split("~")[2] ?? connection.node.id;
}

function syncStatus({ ads, podName }: DebugSources): SyncStatusEntry[] {
  return ads.connections().map((connection) => {
    const byType = new Map(connection.types.map((status) => [xdsTypeOf(status.typeUrl), status]));
    const sent = (type: XdsType) => byType.get(type)?.sent?.nonce ?? "";
    const acked = (type: XdsType) => byType.get(type)?.acked?.nonce ?? "";
    const rejected = connection.types.flatMap(({ typeUrl, rejected: refusal }: TypeStatus) =>
      refusal === undefined ? [] : [[xdsTypeOf(typeUrl) ?? typeUrl, refusal.message] as const],
    );
    return {
      cluster_id: metadataText(connection, "CLUSTER_ID"),
      proxy: proxyName(connection),
      proxy_type: connection.node.id.split("~")[0] ?? "",
      istio_version: metadataText(connection, "ISTIO_VERSION"),
      istiod: podName,
      cluster_sent: sent("CDS"),
      cluster_acked: acked("CDS"),
      listener_sent: sent("LDS"),
      listener_acked: acked("LDS"),
      route_sent: sent("RDS"),
      route_acked: acked("RDS"),
      endpoint_sent: sent("EDS"),
      endpoint_acked: acked("EDS"),
      ...(rejected.length > 0 ? { rejected: Object.fromEntries(rejected) } : {}),
    };
  });
}

function connections({ ads }: DebugSources, withWatches: boolean): ConnectionsPage {
  const clients = ads.connections().map((connection): ConnectionEntry => {
    const watches = connection.types.map(({ typeUrl, wildcard, names }) => [
      typeUrl,
      wildcard ? ["*", ...names] : names,
    ]);
    return {
      connectionId: connection.id,
      connectedAt: new Date(connection.connectedSince).toISOString(),
      address: connection.peer.address,
      cluster: metadataText(connection, "CLUSTER_ID"),
      ...(withWatches ? { watches: Object.fromEntries(watches) } : {}),
    };
  });
  return { totalClients: clients.length, clients };
}

/** The one proxy that `?proxyID=` names, `pod.namespace` or a whole node id. Throws a sentence when there is none. */
function proxyOf({ resources }: DebugSources, query: URLSearchParams) {
  const wanted = query.get("proxyID") ?? "";
  for (const { proxy } of resources.sessions()) {
    if (proxy.id === wanted || `${proxy.name}.${proxy.namespace}` === wanted) return proxy;
  }
  throw new Error(wanted === "" ? "say which proxy: ?proxyID=POD.NAMESPACE" : `no proxy ${wanted} is connected here`);
}

async function configDump(sources: DebugSources, query: URLSearchParams): Promise<unknown> {
  const { dumpConfiguration } = await import("./config-dump.ts");
  return dumpConfiguration(sources.resources.viewOf(proxyOf(sources, query)));
}

async function endpointDump(sources: DebugSources, query: URLSearchParams): Promise<unknown> {
  const { dumpEndpoints } = await import("./config-dump.ts");
  return dumpEndpoints(sources.resources.viewOf(proxyOf(sources, query)));
}

function endpointShards(snapshot: MeshSnapshot): unknown {
  return [...snapshot.endpoints].map(([service, shards]) => ({ service, shards: Object.fromEntries(shards) }));
}

function services(snapshot: MeshSnapshot): unknown {
  return [...snapshot.services.values()].map(({ clusterVips, clusters: perCluster, ...service }) => ({
    ...service,
    clusterVips: Object.fromEntries(clusterVips),
    clusters: Object.fromEntries(perCluster),
  }));
}

function clusters({ ownCluster, remoteClusters, trust: roots }: DebugSources): ClusterStatusEntry[] {
  const problem = ownCluster.problem();
  const own: ClusterStatusEntry = {
    id: ownCluster.id,
    secretName: "",
    syncStatus: ownCluster.hasSynced() ? "synced" : "syncing",
    ...(problem === undefined ? {} : { message: problem }),
    sharesRoot: true,
  };
  const remote = remoteClusters.status().map((status): ClusterStatusEntry => {
    const compared = roots.of(status.id);
    const messages = [status.message, compared?.message].filter((message) => message !== undefined);
    const known = compared !== undefined && compared.verdict !== "unknown";
    return {
      id: status.id,
      secretName: status.secretName,
      syncStatus: status.syncStatus,
      ...(messages.length > 0 ? { message: messages.join("; ") } : {}),
      ...(known ? { sharesRoot: compared.verdict !== "differ" } : {}),
    };
  });
  return [own, ...remote];
}

function networks(snapshot: MeshSnapshot): NetworkGatewayEntry[] {
  return snapshot.networks.gateways.map(({ network, cluster, address, port, source }) => ({
    network,
    cluster,
    address,
    port,
    source,
  }));
}

function pushStatus({ store, lastPush }: DebugSources): unknown {
  const push = lastPush();
  const last =
    push === undefined
      ? undefined
      : {
          observedAt: new Date(push.observedAt).toISOString(),
          generation: push.snapshot.generation,
          changes: push.changes.slice(0, 100),
        };
  return { generation: store.current.generation, last, problems: store.problems() };
}

async function whyNot(sources: DebugSources, query: URLSearchParams): Promise<WhyNotEntry[]> {
  const { networks: known } = sources.store.current;
  const unusable = known.unusable.map(({ network, source, reason, message }): WhyNotEntry => {
    return { scope: network, reason, subject: source, message };
  });
  const wanted = query.get("proxyID");
  const proxies =
    wanted === null ? [...sources.resources.sessions()].map(({ proxy }) => proxy) : [proxyOf(sources, query)];
  const { whyNotOfProxy } = await import("./why-not-of-proxy.ts");
  const unused = proxies.flatMap((proxy) =>
    whyNotOfProxy(sources.resources.viewOf(proxy)).map(
      (why): WhyNotEntry => ({ scope: `${proxy.name}.${proxy.namespace}`, ...why }),
    ),
  );
  return [...unusable, ...unused];
}

function trust({ authority, trust: roots, ownCluster }: DebugSources): TrustPage {
  const { problem, source, current } = authority;
  const own = { cluster: ownCluster.id, source, roots: fingerprintsOf(current.rootsPem) };
  return { own: problem === undefined ? own : { ...own, problem }, clusters: roots.clusters() };
}
