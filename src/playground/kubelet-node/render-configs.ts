// What containerd, the CNI plugins, kubelet and kube-proxy of one node are told. Pure: the same input gives the same text.
import { stringify } from "yaml";
import type { KubeletProcessConfig } from "../process-config.ts";
import type { NodePaths } from "./node-paths.ts";

const CNI_NETWORK = "isthmus";

/** Text of containerd's configuration, version 2: read by containerd 1.6 and later. */
export function renderContainerdConfig(
  paths: NodePaths,
  options: { readonly root: string; readonly cniPlugins: string; readonly sandboxImage: string },
): string {
  return `version = 2
root = ${quote(options.root)}
state = ${quote(paths.containerdState)}
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
  address = ${quote(paths.containerdSocket)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quote(options.sandboxImage)}
  # The right to lower a process' score is not given everywhere.
  restrict_oom_score_adj = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${quote(options.cniPlugins)}
    conf_dir = ${quote(paths.cniConfigDir)}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quote(paths.registries)}
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function podCIDRs({ podCIDR, ipv6 }: KubeletProcessConfig): string[] {
  return [podCIDR, ...(ipv6 ? [ipv6.podCIDR] : [])];
}

/** Each pod gets a pair of interfaces and an address of the node's pod range; the node routes, and its rules decide. */
export function renderCniConfig(config: KubeletProcessConfig, paths: NodePaths): string {
  const ipam = {
    type: "host-local",
    dataDir: paths.cniDataDir,
    ranges: podCIDRs(config).map((subnet) => [{ subnet }]),
    routes: [{ dst: "0.0.0.0/0" }, ...(config.ipv6 ? [{ dst: "::/0" }] : [])],
  };
  const conflist = {
    cniVersion: "0.4.0",
    name: CNI_NETWORK,
    plugins: [
      { type: "ptp", ipMasq: false, ipam },
      { type: "portmap", snat: true, capabilities: { portMappings: true } },
    ],
  };
  return `${JSON.stringify(conflist, undefined, 2)}\n`;
}

export function renderKubeletConfig(config: KubeletProcessConfig, paths: NodePaths): string {
  const { kubelet } = config;
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    ...{ address: config.address, port: kubelet.port, readOnlyPort: 0, healthzPort: 0 },
    ...{ tlsCertFile: kubelet.cert, tlsPrivateKeyFile: kubelet.key },
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: kubelet.clientCaCert },
    },
    authorization: { mode: "Webhook" },
    ...{ clusterDNS: [config.dnsAddress], clusterDomain: config.clusterDomain, resolvConf: paths.resolvConf },
    containerRuntimeEndpoint: `unix://${paths.containerdSocket}`,
    podLogsDir: paths.podLogs,
    volumePluginDir: `${paths.kubeletRoot}/volume-plugins`,
    ...cgroupSettings(config.cgroup),
    // A node's rules are kube-proxy's and the network's.
    makeIPTablesUtilChains: false,
    serializeImagePulls: false,
    // The machine's disk is not the playground's: a full one must evict no pod and collect no image that nobody can pull.
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    evictionHard: { "memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%" },
    maxPods: 250,
    ...{ eventRecordQPS: 50, kubeAPIQPS: 100, kubeAPIBurst: 200 },
    logging: { flushFrequency: "1s" },
  });
}

/** cgroup v1 and swap are what some machines have; a kubelet refuses both unless told. */
function cgroupSettings(cgroup: string) {
  return {
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${cgroup}`,
    enforceNodeAllocatable: [],
    failCgroupV1: false,
    failSwapOn: false,
    oomScoreAdj: 0,
  };
}

export function renderKubeProxyConfig(config: KubeletProcessConfig): string {
  return stringify({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig: config.realNode.kubeconfigs.kubeProxy },
    mode: "iptables",
    hostnameOverride: config.nodeName,
    bindAddress: config.address,
    ...{ detectLocalMode: "ClusterCIDR", clusterCIDR: podCIDRs(config).join(",") },
    nodePortAddresses: ["primary"],
    ...{ healthzBindAddress: "127.0.0.1:10256", metricsBindAddress: "127.0.0.1:10249" },
    iptables: { minSyncPeriod: "50ms", syncPeriod: "30s", localhostNodePorts: false },
    // These settings belong to the machine.
    conntrack: { maxPerCore: 0, min: 0, tcpCloseWaitTimeout: "0s", tcpEstablishedTimeout: "0s" },
    oomScoreAdj: 0,
  });
}
