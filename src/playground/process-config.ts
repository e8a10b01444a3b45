// What the supervisor tells the two programs of a cluster, each as one JSON file named on their command line.

/** For `playground-cluster`: API server and controllers. All paths are absolute. */
export interface ClusterProcessConfig {
  readonly clusterName: string;
  /** On the outer segment; the one address of this API server for host, pods and remote secrets. */
  readonly listen: { readonly address: string; readonly port: number };
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** Addresses on the outer segment that LoadBalancer services of this cluster get, first and last included. */
  readonly loadBalancerRange: { readonly first: string; readonly last: string };
  readonly pki: {
    /** Signs the server's certificate; written to kube-root-ca.crt and token Secrets. */
    readonly caCert: string;
    readonly serverCert: string;
    readonly serverKey: string;
    /** Client certificates chain to this one: CN is the user, O the groups. */
    readonly clientCaCert: string;
    /** Shown to the node's kubelet port. */
    readonly kubeletClientCert: string;
    readonly kubeletClientKey: string;
    /** RSA private key that signs service account tokens. */
    readonly serviceAccountKey: string;
  };
  /** A system:masters kubeconfig for the controllers. */
  readonly kubeconfig: string;
  /** Written when the API server is ready: an empty file. */
  readonly readyFile: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** For `playground-node`: node runtime, service proxy and cluster DNS. All paths are absolute. */
export interface NodeProcessConfig {
  readonly clusterName: string;
  readonly nodeName: string;
  /** The node's address on the outer segment. */
  readonly address: string;
  /** Interface of that address inside the node's namespace. */
  readonly outerInterface: string;
  readonly region: string;
  readonly zone: string;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** 10th address of the service CIDR. */
  readonly dnsAddress: string;
  readonly clusterDomain: string;
  /** Identity system:node:NAME in group system:nodes. */
  readonly kubeconfig: string;
  readonly kubelet: {
    readonly port: number;
    readonly cert: string;
    readonly key: string;
    readonly clientCaCert: string;
  };
  /** Pod volumes, container roots and logs live below it; the node makes and removes its content. */
  readonly stateDir: string;
  /** Prefix of every network namespace and interface name that the node makes, at most 8 characters. */
  readonly namePrefix: string;
  /** YAML files that map image names to programs; later files win. */
  readonly imageCatalogues: readonly string[];
  readonly envoyBinary: string;
  readonly readyFile: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}
