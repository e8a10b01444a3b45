// All files of one cluster below STATE/clusters/NAME: keys, kubeconfigs, and what its two programs are told.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { API_SERVER_PORT, type ClusterLayout, KUBELET_PORT, OUTER_INTERFACE } from "../network/layout.ts";
import type { ClusterProcessConfig, NodeProcessConfig } from "../process-config.ts";
import { pathsBelow } from "./playground-paths.ts";
import type { SupervisorConfig } from "./supervisor-config.ts";
import { type KubeconfigEntry, writeKubeconfig } from "./write-kubeconfig.ts";
import { type ClusterPki, writePki } from "./write-pki.ts";

export interface ClusterFiles {
  readonly layout: ClusterLayout;
  readonly apiServer: string;
  readonly admin: KubeconfigEntry;
  readonly cluster: ProgramFiles;
  readonly node: ProgramFiles;
}

export interface ProgramFiles {
  readonly config: string;
  readonly readyFile: string;
  readonly log: string;
}

export async function writeClusterFiles(config: SupervisorConfig, layout: ClusterLayout): Promise<ClusterFiles> {
  const dir = join(config.stateDir, "clusters", layout.name);
  const { logsDir } = pathsBelow(config.name, config.stateDir);
  await Promise.all([mkdir(join(dir, "node"), { recursive: true, mode: 0o700 }), mkdir(logsDir, { recursive: true })]);
  const pki = await writePki(layout, join(dir, "pki"));
  const apiServer = `https://${layout.address}:${API_SERVER_PORT}`;
  const program = (name: string): ProgramFiles => ({
    config: join(dir, `${name}.json`),
    readyFile: join(dir, `${name}.ready`),
    log: join(logsDir, `${layout.name}-${name}.log`),
  });
  const files = { cluster: program("cluster"), node: program("node") };
  const kubeconfigs = { cluster: join(dir, "controllers.kubeconfig"), node: join(dir, "node.kubeconfig") };
  const entry = (user: string, identity: KubeconfigEntry["identity"]): KubeconfigEntry => ({
    cluster: layout.name,
    server: apiServer,
    caPem: pki.caPem,
    user,
    identity,
  });
  await Promise.all([
    writeKubeconfig(kubeconfigs.cluster, [entry("system:kube-controller-manager", pki.controllerManager)]),
    writeKubeconfig(kubeconfigs.node, [entry(`system:node:${layout.nodeName}`, pki.node)]),
    writeJson(files.cluster.config, clusterConfig(config, { layout, pki, files: files.cluster, kubeconfigs })),
    writeJson(files.node.config, nodeConfig(config, { layout, pki, files: files.node, kubeconfigs, dir })),
  ]);
  return { layout, apiServer, admin: entry(`${layout.name}-admin`, pki.admin), ...files };
}

interface Parts {
  readonly layout: ClusterLayout;
  readonly pki: ClusterPki;
  readonly files: ProgramFiles;
  readonly kubeconfigs: { readonly cluster: string; readonly node: string };
}

function clusterConfig(config: SupervisorConfig, { layout, pki, files, kubeconfigs }: Parts): ClusterProcessConfig {
  return {
    clusterName: layout.name,
    listen: { address: layout.address, port: API_SERVER_PORT },
    podCIDR: layout.podCIDR,
    serviceCIDR: layout.serviceCIDR,
    loadBalancerRange: layout.loadBalancerRange,
    pki: {
      caCert: pki.files["ca.crt"],
      serverCert: pki.files["server.crt"],
      serverKey: pki.files["server.key"],
      clientCaCert: pki.files["client-ca.crt"],
      kubeletClientCert: pki.files["kubelet-client.crt"],
      kubeletClientKey: pki.files["kubelet-client.key"],
      serviceAccountKey: pki.files["service-account.key"],
    },
    dataDir: join(config.stateDir, "clusters", layout.name, "objects"),
    kubeconfig: kubeconfigs.cluster,
    readyFile: files.readyFile,
    logLevel: config.logLevel,
  };
}

function nodeConfig(config: SupervisorConfig, parts: Parts & { readonly dir: string }): NodeProcessConfig {
  const { layout, pki } = parts;
  return {
    clusterName: layout.name,
    nodeName: layout.nodeName,
    address: layout.address,
    outerInterface: OUTER_INTERFACE,
    region: layout.region,
    zone: layout.zone,
    podCIDR: layout.podCIDR,
    serviceCIDR: layout.serviceCIDR,
    dnsAddress: layout.dnsAddress,
    clusterDomain: "cluster.local",
    kubeconfig: parts.kubeconfigs.node,
    kubelet: {
      port: KUBELET_PORT,
      cert: pki.files["kubelet.crt"],
      key: pki.files["kubelet.key"],
      clientCaCert: pki.files["client-ca.crt"],
    },
    stateDir: join(parts.dir, "node"),
    namePrefix: layout.namePrefix,
    imageCatalogues: config.imageCatalogues,
    envoyBinary: config.envoyBinary,
    readyFile: parts.files.readyFile,
    logLevel: config.logLevel,
  };
}

function writeJson(file: string, value: unknown): Promise<void> {
  return writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
}
