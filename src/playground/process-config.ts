// What the supervisor tells the two programs of a cluster, each as one JSON file named on their command line.

/** Who serves the API of a cluster: `playground-cluster`, or the programs of a Kubernetes release. */
export type Engine = "embedded" | "kubernetes";
/** Who runs the pods of a cluster: `playground-node`, or the kubelet of a Kubernetes release. */
export type NodeKind = "isthmus" | "kubelet";

/** For `playground-cluster`: API server and controllers. All paths are absolute. */
export interface ClusterProcessConfig {
  readonly clusterName: string;
  /** On the outer segment; the one address of this API server for host, pods and remote secrets. */
  readonly listen: { readonly address: string; readonly port: number };
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** Addresses on the outer segment that LoadBalancer services of this cluster get, first and last included. */
  readonly loadBalancerRange: { readonly first: string; readonly last: string };
  /** The same of a cluster whose pods and Services may have IPv6 addresses beside their IPv4 ones. */
  readonly ipv6?: {
    readonly podCIDR: string;
    readonly serviceCIDR: string;
    readonly loadBalancerRange: { readonly first: string; readonly last: string };
  };
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
  /** Holds the objects, so that they outlive the program; without it they live in memory alone. */
  readonly dataDir?: string;
  /** Of the node: volumes of class `standard` are folders below it; without it there is no such class. */
  readonly volumesDir?: string;
  /** A system:masters kubeconfig for the controllers. */
  readonly kubeconfig: string;
  /** Written when the API server is ready: an empty file. */
  readonly readyFile: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** Executables of a Kubernetes release, absolute paths. */
export interface ControlPlanePrograms {
  readonly etcd: string;
  readonly apiServer: string;
  readonly controllerManager: string;
  readonly scheduler: string;
}

/** For `playground-kubernetes`, which takes the place of `playground-cluster`. All paths are absolute. */
export interface KubernetesProcessConfig extends ClusterProcessConfig {
  /** etcd's; made when it is missing. */
  readonly dataDir: string;
  readonly kubernetes: {
    readonly programs: ControlPlanePrograms;
    /** Each program writes CLUSTER-PROGRAM.log into it. */
    readonly logsDir: string;
    /** Keys of `pki.caCert` and `pki.clientCaCert`: the controller manager signs certificate requests with them. */
    readonly caKey: string;
    readonly clientCaKey: string;
    /** The API server shows this certificate to aggregated API servers, which trust its CA. */
    readonly frontProxy: { readonly caCert: string; readonly clientCert: string; readonly clientKey: string };
    /** Identity system:kube-scheduler. */
    readonly schedulerKubeconfig: string;
  };
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
  /** Of a node whose pods and Services have IPv6 addresses beside their IPv4 ones. */
  readonly ipv6?: { readonly address: string; readonly podCIDR: string; readonly serviceCIDR: string };
  /** 10th address of the service CIDR. */
  readonly dnsAddress: string;
  readonly clusterDomain: string;
  /** Identity system:node:NAME in group system:nodes. */
  readonly kubeconfig: string;
  /** Identity system:kube-proxy: service proxy and cluster DNS read Services and EndpointSlices, which no node may. */
  readonly proxyKubeconfig: string;
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
  /** Name of the folder that the node makes in every cgroup hierarchy: unique among the playgrounds of the machine. */
  readonly cgroup: string;
  /** YAML files that map image names to programs; later files win. */
  readonly imageCatalogues: readonly string[];
  /** Folder in which layers of images are unpacked once; by default the person's cache. */
  readonly imageCache?: string;
  readonly envoyBinary: string;
  readonly readyFile: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
}

/** What `tools/image-store.mjs -o json` prints. */
export interface NodeImages {
  /** A folder in the OCI image layout, with all images: what `npm run images` made. */
  readonly layout: string;
  /** What a containerd keeps of them: a copy of it is a containerd that has them. */
  readonly store?: string;
}

/** Folders of a container runtime's programs. */
export interface ContainerTools {
  /** To put before PATH. */
  readonly bin: readonly string[];
  /** The CNI plugins. */
  readonly cni: string;
  /** For LD_LIBRARY_PATH: what this machine may lack. */
  readonly lib?: string;
}

/** What a machine must have for real nodes, absolute paths. */
export interface RealNodeParts {
  readonly programs: { readonly kubelet: string; readonly kubeProxy: string };
  /** Where containerd, its shim, ctr, runc and the CNI plugins are: what `tools/container-tools.mjs -o json` prints. */
  readonly containerTools: ContainerTools;
  readonly images: NodeImages;
}

/** For `playground-kubelet`, which takes the place of `playground-node`. All paths are absolute. */
export interface KubeletProcessConfig extends NodeProcessConfig {
  readonly realNode: RealNodeParts & {
    /** Signs the API server's certificate. */
    readonly caCert: string;
    /** Of system:node:NAME, of system:kube-proxy, and of system:masters to set the cluster DNS up. */
    readonly kubeconfigs: { readonly kubelet: string; readonly kubeProxy: string; readonly admin: string };
    /** Addresses on the outer segment that LoadBalancer services of this cluster get, first and last included. */
    readonly loadBalancerRange: { readonly first: string; readonly last: string };
    /** Each program writes CLUSTER-PROGRAM.log into it. */
    readonly logsDir: string;
  };
}
