// A topology is data: which clusters a playground has, on which networks they sit, and with which addresses.

export interface TopologyCluster {
  /** DNS label; also the name of its kubeconfig context. */
  readonly name: string;
  /** Clusters that name the same network reach each other's pods directly. */
  readonly network: string;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** Present: pods and Services may have IPv6 addresses beside their IPv4 ones. */
  readonly ipv6?: { readonly podCIDR: string; readonly serviceCIDR: string };
  readonly region: string;
  readonly zone: string;
}

export interface Topology {
  /** Outer segment; absent: the first free /24 of the pool. */
  readonly outerCIDR?: string;
  readonly clusters: readonly TopologyCluster[];
}

/** Something wrong with a topology: `path` is the field, `message` says what and what to write instead. */
export interface TopologyViolation {
  readonly path: string;
  readonly message: string;
}
