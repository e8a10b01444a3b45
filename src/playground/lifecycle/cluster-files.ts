// All files of one cluster below STATE/clusters/NAME: keys, kubeconfigs, and what its two programs are told.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { API_SERVER_PORT, type ClusterLayout } from "../network/layout.ts";
import { pathsBelow } from "./playground-paths.ts";
import { clusterConfig, nodeConfig } from "./process-configs.ts";
import type { SupervisorConfig } from "./supervisor-config.ts";
import { type KubeconfigEntry, writeKubeconfig } from "./write-kubeconfig.ts";
import { writePki } from "./write-pki.ts";

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
  const kubeconfig = (name: string) => join(dir, `${name}.kubeconfig`);
  const kubeconfigs = {
    cluster: kubeconfig("controllers"),
    scheduler: kubeconfig("scheduler"),
    node: kubeconfig("node"),
    kubeProxy: kubeconfig("kube-proxy"),
  };
  const parts = { layout, pki, kubeconfigs, dir, logsDir };
  const entry = (user: string, identity: KubeconfigEntry["identity"]): KubeconfigEntry => ({
    cluster: layout.name,
    server: apiServer,
    caPem: pki.caPem,
    user,
    identity,
  });
  await Promise.all([
    writeKubeconfig(kubeconfigs.cluster, [entry("system:kube-controller-manager", pki.controllerManager)]),
    writeKubeconfig(kubeconfigs.scheduler, [entry("system:kube-scheduler", pki.scheduler)]),
    writeKubeconfig(kubeconfigs.node, [entry(`system:node:${layout.nodeName}`, pki.node)]),
    writeKubeconfig(kubeconfigs.kubeProxy, [entry("system:kube-proxy", pki.kubeProxy)]),
    writeJson(files.cluster.config, clusterConfig(config, { ...parts, readyFile: files.cluster.readyFile })),
    writeJson(files.node.config, nodeConfig(config, { ...parts, readyFile: files.node.readyFile })),
  ]);
  return { layout, apiServer, admin: entry(`${layout.name}-admin`, pki.admin), ...files };
}

function writeJson(file: string, value: unknown): Promise<void> {
  return writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
}
