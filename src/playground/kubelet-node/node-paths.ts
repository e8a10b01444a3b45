import { join } from "node:path";

/** Everything that one real node keeps, below its state folder or in folders that its mount namespace has to itself. */
export interface NodePaths {
  readonly containerdConfig: string;
  /** Content and snapshots of images: on disk, or in memory where the disk's file system cannot hold layers. */
  readonly containerdRoot: string;
  readonly containerdRootInMemory: string;
  /** In the mount namespace of containerd only: short, as a socket's path may have 107 bytes. */
  readonly containerdState: string;
  readonly containerdSocket: string;
  /** Where containerd looks registries up; the file is for all of them. */
  readonly registries: string;
  readonly registryHosts: string;
  readonly cniConfigDir: string;
  readonly cniDataDir: string;
  readonly kubeletConfig: string;
  readonly kubeletRoot: string;
  readonly podLogs: string;
  readonly resolvConf: string;
  readonly kubeProxyConfig: string;
}

export function nodePaths(stateDir: string): NodePaths {
  return {
    containerdConfig: join(stateDir, "containerd.toml"),
    containerdRoot: join(stateDir, "containerd"),
    containerdRootInMemory: "/run/isthmus/containerd",
    containerdState: "/run/containerd",
    containerdSocket: "/run/containerd/containerd.sock",
    registries: join(stateDir, "registries"),
    registryHosts: join(stateDir, "registries", "_default", "hosts.toml"),
    cniConfigDir: join(stateDir, "cni"),
    cniDataDir: join(stateDir, "cni-addresses"),
    kubeletConfig: join(stateDir, "kubelet.yaml"),
    kubeletRoot: join(stateDir, "kubelet"),
    podLogs: join(stateDir, "pod-logs"),
    resolvConf: join(stateDir, "resolv.conf"),
    kubeProxyConfig: join(stateDir, "kube-proxy.yaml"),
  };
}
