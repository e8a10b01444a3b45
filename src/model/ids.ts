// Ids are strings on the wire; the brands keep a network from being passed where a cluster is meant.

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The id of one API server, the key of its remote secret and `CLUSTER_ID` of its proxies. */
export type ClusterId = Branded<"ClusterId">;
/** A network label value; "" means "unknown", which counts as the same network as any other. */
export type NetworkId = Branded<"NetworkId">;
/** A full name, lower case: `helloworld.sample.svc.cluster.local`. */
export type Hostname = Branded<"Hostname">;
/** `namespace/hostname`: one service of the mesh, over all clusters. */
export type ServiceKey = Branded<"ServiceKey">;

export function clusterId(text: string): ClusterId {
  return text as ClusterId;
}

export function networkId(text: string): NetworkId {
  return text as NetworkId;
}

export function hostname(text: string): Hostname {
  return text.toLowerCase() as Hostname;
}

export function serviceKey(namespace: string, host: Hostname): ServiceKey {
  return `${namespace}/${host}` as ServiceKey;
}

/** The hostname of a Kubernetes Service; the same in every cluster, which makes it one service of the mesh. */
export function kubernetesHostname(name: string, namespace: string, domain: string): Hostname {
  return hostname(`${name}.${namespace}.svc.${domain}`);
}
