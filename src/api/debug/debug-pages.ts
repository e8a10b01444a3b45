// The JSON of the control plane's debug pages: Istio's names where Istio has the page. Commands and dashboard read it.

/** One entry of /debug/syncz: versions that were sent to a proxy and that it accepted; empty text means never. */
export interface SyncStatusEntry {
  readonly cluster_id: string;
  /** `pod.namespace`. */
  readonly proxy: string;
  readonly proxy_type: string;
  readonly istio_version: string;
  /** Name of the control plane replica that holds the stream. */
  readonly istiod: string;
  readonly cluster_sent: string;
  readonly cluster_acked: string;
  readonly listener_sent: string;
  readonly listener_acked: string;
  readonly route_sent: string;
  readonly route_acked: string;
  readonly endpoint_sent: string;
  readonly endpoint_acked: string;
  /** By short type name: the proxy's own words when it refused the last response. Ours. */
  readonly rejected?: Readonly<Record<string, string>>;
}

/** One entry of /debug/clusterz. */
export interface ClusterStatusEntry {
  readonly id: string;
  /** Empty for the control plane's own cluster. */
  readonly secretName: string;
  readonly syncStatus: "synced" | "syncing" | "timeout" | "closed";
  /** What is wrong, one sentence, when something is. Ours. */
  readonly message?: string;
  /** False when the cluster's workloads trust another root than ours; absent while unknown. Ours. */
  readonly sharesRoot?: boolean;
}

/** /debug/trustz. Ours. */
export interface TrustPage {
  readonly own: {
    readonly cluster: string;
    readonly source: string;
    readonly roots: readonly string[];
    readonly problem?: string;
  };
  readonly clusters: readonly {
    readonly cluster: string;
    /** SHA-256 fingerprints; empty while unknown. */
    readonly roots: readonly string[];
    readonly verdict: "equal" | "shared" | "differ" | "unknown";
    readonly message?: string;
  }[];
}

/** One client of /debug/connections and /debug/adsz. */
export interface ConnectionEntry {
  readonly connectionId: string;
  readonly connectedAt: string;
  readonly address: string;
  readonly cluster: string;
  /** Resource names by type URL; `*` for everything. Only on /debug/adsz. */
  readonly watches?: Readonly<Record<string, readonly string[]>>;
}

/** /debug/connections and /debug/adsz. */
export interface ConnectionsPage {
  readonly totalClients: number;
  readonly clients: readonly ConnectionEntry[];
}

/** One entry of /debug/whynotz: something known but not used, and why. Ours. */
export interface WhyNotEntry {
  /** Proxy or network that does not use it; empty when it concerns all. */
  readonly scope: string;
  readonly reason: string;
  readonly subject: string;
  readonly message: string;
}

/** One entry of /debug/networkz. */
export interface NetworkGatewayEntry {
  readonly network: string;
  readonly cluster: string;
  readonly address: string;
  readonly port: number;
  readonly source: string;
}
