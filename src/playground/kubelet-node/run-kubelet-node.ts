// A node as a user's cluster has it: kubelet, containerd, runc, CNI and kube-proxy. Ours are the load balancer addresses
// on the outer segment, the order of rules, and the objects of the cluster DNS. Runs as root inside the node's network
// namespace, in the pid and mount namespaces of the playground: what it leaves running ends with these.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Component } from "#base/component";
import { runAll, untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import { createKubeClient } from "#kube/create-kube-client";
import type { KubeClient } from "#kube/kube-client";
import { loadKubeConfig } from "#kube/kubeconfig";
import type { KubeletProcessConfig } from "../process-config.ts";
import { awaitClusterDns, awaitNode, setUpClusterDns } from "./await-node.ts";
import { makeCgroupFolders } from "./cgroup-folders.ts";
import type { Containerd } from "./containerd.ts";
import { findImageNames } from "./image-names.ts";
import { type NodePaths, nodePaths } from "./node-paths.ts";
import { NodeProgram } from "./node-program.ts";
import { putOuterRulesFirst } from "./outer-rules-first.ts";
import { renderKubeletConfig, renderKubeProxyConfig } from "./render-configs.ts";
import { serveImages } from "./serve-images.ts";
import { serveLoadBalancerAddresses } from "./serve-load-balancer-addresses.ts";
import { startContainerd } from "./start-containerd.ts";

/** The node is taken down with its namespaces: nothing has to be tidied up first. */
const STOP_GRACE_MS = 300;

/**
 * Runs a real node until the signal aborts. Writes `config.readyFile` when the Node is Ready, its images are there and
 * the cluster DNS answers. Throws ProgramError, the end of its log told, when a program ends.
 */
export async function runKubeletNode(config: KubeletProcessConfig, logger: Logger, signal: AbortSignal): Promise<void> {
  rmSync(config.readyFile, { force: true });
  const client = createKubeClient(loadKubeConfig({ path: config.realNode.kubeconfigs.admin }));
  const node = new KubeletNode({ config, client, logger });
  const components: Component[] = [
    serveLoadBalancerAddresses({
      client,
      outerInterface: config.outerInterface,
      families: config.ipv6 ? ["IPv4", "IPv6"] : ["IPv4"],
      logger,
    }),
    serveImages(config.realNode.images.layout),
    { name: "node", run: (stop) => node.run(stop) },
  ];
  try {
    await runAll(components, signal, logger);
  } finally {
    await node.stop();
    await client.close();
  }
}

interface NodeOptions {
  readonly config: KubeletProcessConfig;
  readonly client: KubeClient;
  readonly logger: Logger;
}

class KubeletNode {
  readonly #options: NodeOptions;
  readonly #paths: NodePaths;
  readonly #programs: NodeProgram[] = [];

  constructor(options: NodeOptions) {
    this.#options = options;
    this.#paths = nodePaths(options.config.stateDir);
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.race([this.#start(signal), untilAborted(signal)]);
    await Promise.race([...this.#programs.map((program) => program.failed), untilAborted(signal)]);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop(STOP_GRACE_MS)));
  }

  async #start(signal: AbortSignal): Promise<void> {
    const { config, client, logger } = this.#options;
    const images = await findImageNames(config.realNode.images.layout);
    await makeCgroupFolders(config.cgroup);
    const containerd = await startContainerd({ config, paths: this.#paths, sandboxImage: images.sandbox }, signal);
    this.#programs.push(containerd.program);
    const kubeProxy = this.#startKubeProxy(containerd);
    const kubelet = this.#startKubelet(containerd);
    const failed = Promise.race(
      [containerd, { program: kubeProxy }, { program: kubelet }].map((p) => p.program.failed),
    );
    const ready = Promise.all([
      putOuterRulesFirst("iptables", signal),
      ...(config.ipv6 ? [putOuterRulesFirst("ip6tables", signal)] : []),
      awaitNode(client, config.nodeName, signal),
      setUpClusterDns(client, { image: images.dns, address: config.dnsAddress, clusterDomain: config.clusterDomain }),
    ]).then(() => awaitClusterDns(client, signal));
    await Promise.race([ready, failed]);
    if (signal.aborted) return;
    writeFileSync(config.readyFile, "");
    logger.info({ address: config.address }, "node is ready");
  }

  #startKubelet(containerd: Containerd): NodeProgram {
    const { config } = this.#options;
    const paths = this.#paths;
    for (const dir of [paths.kubeletRoot, paths.podLogs]) mkdirSync(dir, { recursive: true });
    // For pods that want the node's own resolver: names outside the cluster are nobody's, and that is told at once.
    writeFileSync(paths.resolvConf, `nameserver ${config.dnsAddress}\n`);
    writeFileSync(paths.kubeletConfig, renderKubeletConfig(config, paths));
    const labels = { region: config.region, zone: config.zone };
    return this.#startProgram("kubelet", containerd, [
      config.realNode.programs.kubelet,
      `--config=${paths.kubeletConfig}`,
      `--kubeconfig=${config.realNode.kubeconfigs.kubelet}`,
      `--root-dir=${paths.kubeletRoot}`,
      `--cert-dir=${paths.kubeletRoot}/pki`,
      `--hostname-override=${config.nodeName}`,
      `--node-ip=${[config.address, ...(config.ipv6 ? [config.ipv6.address] : [])].join(",")}`,
      `--node-labels=${Object.entries(labels).map(([name, value]) => `topology.kubernetes.io/${name}=${value}`)}`,
      "--v=1",
    ]);
  }

  #startKubeProxy(containerd: Containerd): NodeProgram {
    const { config } = this.#options;
    writeFileSync(this.#paths.kubeProxyConfig, renderKubeProxyConfig(config));
    const { kubeProxy } = config.realNode.programs;
    return this.#startProgram("kube-proxy", containerd, [
      kubeProxy,
      `--config=${this.#paths.kubeProxyConfig}`,
      "--v=1",
    ]);
  }

  #startProgram(name: string, containerd: Containerd, command: readonly string[]): NodeProgram {
    const { clusterName, realNode } = this.#options.config;
    const program = new NodeProgram({
      title: `the ${name} of ${clusterName}`,
      command: containerd.enter(command),
      env: containerd.env,
      log: join(realNode.logsDir, `${clusterName}-${name}.log`),
    });
    this.#programs.push(program);
    return program;
  }
}
