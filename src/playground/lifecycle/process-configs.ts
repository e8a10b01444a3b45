// What each program of a cluster is told: its configuration, out of the playground's and the cluster's.
import { join } from "node:path";
import { API_SERVER_PORT, type ClusterLayout, KUBELET_PORT, OUTER_INTERFACE } from "../network/layout.ts";
import type {
  ClusterProcessConfig,
  ControlPlanePrograms,
  KubeletProcessConfig,
  KubernetesProcessConfig,
  NodeProcessConfig,
  RealNodeParts,
} from "../process-config.ts";
import { cgroupPrefix } from "./caretaker.ts";
import type { SupervisorConfig } from "./supervisor-config.ts";
import type { ClusterPki } from "./write-pki.ts";

/** One cluster's files, all paths absolute. */
export interface ProcessParts {
  readonly layout: ClusterLayout;
  readonly pki: ClusterPki;
  readonly kubeconfigs: {
    /** Of system:masters, for the controllers. */
    readonly cluster: string;
    readonly scheduler: string;
    readonly node: string;
    readonly kubeProxy: string;
  };
  /** The cluster's folder. */
  readonly dir: string;
  readonly logsDir: string;
  readonly readyFile: string;
}

/** With the engine `kubernetes` it also says where the programs of the release are. */
export function clusterConfig(
  config: SupervisorConfig,
  parts: ProcessParts,
): ClusterProcessConfig | KubernetesProcessConfig {
  const { layout, pki, kubeconfigs, dir } = parts;
  const common = {
    clusterName: layout.name,
    listen: { address: layout.address, port: API_SERVER_PORT },
    podCIDR: layout.podCIDR,
    serviceCIDR: layout.serviceCIDR,
    loadBalancerRange: layout.loadBalancerRange,
    ...(layout.ipv6 === undefined ? {} : { ipv6: layout.ipv6 }),
    pki: {
      caCert: pki.files["ca.crt"],
      serverCert: pki.files["server.crt"],
      serverKey: pki.files["server.key"],
      clientCaCert: pki.files["client-ca.crt"],
      kubeletClientCert: pki.files["kubelet-client.crt"],
      kubeletClientKey: pki.files["kubelet-client.key"],
      serviceAccountKey: pki.files["service-account.key"],
    },
    dataDir: join(dir, "objects"),
    // Real nodes have the volumes that their own provisioners make.
    ...(config.kubelet === undefined ? { volumesDir: join(nodeStateDir(dir), "volumes") } : {}),
    kubeconfig: kubeconfigs.cluster,
    readyFile: parts.readyFile,
    logLevel: config.logLevel,
  };
  return config.kubernetes === undefined ? common : { ...common, kubernetes: controlPlane(config.kubernetes, parts) };
}

function controlPlane(
  programs: ControlPlanePrograms,
  { pki, kubeconfigs, logsDir }: ProcessParts,
): KubernetesProcessConfig["kubernetes"] {
  return {
    programs,
    logsDir,
    caKey: pki.files["ca.key"],
    clientCaKey: pki.files["client-ca.key"],
    frontProxy: {
      caCert: pki.files["front-proxy-ca.crt"],
      clientCert: pki.files["front-proxy-client.crt"],
      clientKey: pki.files["front-proxy-client.key"],
    },
    schedulerKubeconfig: kubeconfigs.scheduler,
  };
}

/** With real nodes it also says where a kubelet and what it needs are. */
export function nodeConfig(config: SupervisorConfig, parts: ProcessParts): NodeProcessConfig | KubeletProcessConfig {
  const { layout, pki } = parts;
  const common = {
    clusterName: layout.name,
    nodeName: layout.nodeName,
    address: layout.address,
    outerInterface: OUTER_INTERFACE,
    region: layout.region,
    zone: layout.zone,
    podCIDR: layout.podCIDR,
    serviceCIDR: layout.serviceCIDR,
    ...(layout.ipv6 === undefined ? {} : { ipv6: layout.ipv6 }),
    dnsAddress: layout.dnsAddress,
    clusterDomain: "cluster.local",
    kubeconfig: parts.kubeconfigs.node,
    proxyKubeconfig: parts.kubeconfigs.kubeProxy,
    kubelet: {
      port: KUBELET_PORT,
      cert: pki.files["kubelet.crt"],
      key: pki.files["kubelet.key"],
      clientCaCert: pki.files["client-ca.crt"],
    },
    stateDir: nodeStateDir(parts.dir),
    namePrefix: layout.namePrefix,
    cgroup: `${cgroupPrefix(config)}${layout.name}`,
    imageCatalogues: config.imageCatalogues,
    imageCache: config.imageCache,
    envoyBinary: config.envoyBinary,
    readyFile: parts.readyFile,
    logLevel: config.logLevel,
  };
  return config.kubelet === undefined ? common : { ...common, realNode: realNode(config.kubelet, parts) };
}

function nodeStateDir(clusterDir: string): string {
  return join(clusterDir, "node");
}

function realNode(
  found: RealNodeParts,
  { layout, pki, kubeconfigs, logsDir }: ProcessParts,
): KubeletProcessConfig["realNode"] {
  return {
    ...found,
    caCert: pki.files["ca.crt"],
    kubeconfigs: { kubelet: kubeconfigs.node, kubeProxy: kubeconfigs.kubeProxy, admin: kubeconfigs.cluster },
    loadBalancerRange: layout.loadBalancerRange,
    logsDir,
  };
}
