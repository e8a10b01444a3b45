// The node of a playground cluster: a client of the Kubernetes API that runs pods as processes of this machine. It
// runs as root inside the node's network namespace, in mount and pid namespaces of its own.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { Kinds } from "#api/kinds";
import type { Service } from "#api/kubernetes/gen/types";
import { systemClock } from "#base/clock";
import { type Component, runAll, untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import { createKubeClient } from "#kube/create-kube-client";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import { loadKubeConfig } from "#kube/kubeconfig";
import { createClusterDns } from "../dns/create-cluster-dns.ts";
import type { NodeProcessConfig } from "../process-config.ts";
import { createServiceProxy } from "../service-proxy/create-service-proxy.ts";
import { machineHierarchies } from "./cgroup/cgroup-hierarchies.ts";
import { createContainerCgroups } from "./cgroup/container-cgroups.ts";
import { loadImageCatalogue } from "./images/image-catalogue.ts";
import { createKubeletAccess } from "./kubelet-server/kubelet-access.ts";
import { createKubeletServer } from "./kubelet-server/kubelet-server.ts";
import { createNodeApi } from "./node-api.ts";
import { keepNodeAlive, nodeCapacity, nodeObject, registerNode } from "./node-registration.ts";
import { prepareNodeRoot } from "./node-root.ts";
import { createIpPool, createIpv6Pool } from "./pod/ip-pool.ts";
import type { PodContext } from "./pod/pod-context.ts";
import { createPodManager, followPods, type PodManager } from "./pod/pod-manager.ts";
import { removeLeftoverSandboxes } from "./pod/pod-sandbox.ts";
import { followReferencedObjects } from "./pod/referenced-objects.ts";
import { programPaths } from "./program-paths.ts";

/**
 * Runs node runtime, kubelet server, service proxy and cluster DNS until the signal aborts; then ends all pods and
 * removes their namespaces, mounts and files. Writes `config.readyFile` when the Node is registered and its pods are
 * watched. Throws when one part cannot go on.
 */
export async function runNode(config: NodeProcessConfig, logger: Logger, signal: AbortSignal): Promise<void> {
  const clock = systemClock;
  const client = createKubeClient(loadKubeConfig({ path: config.kubeconfig }));
  const proxyClient = createKubeClient(loadKubeConfig({ path: config.proxyKubeconfig }));
  rmSync(config.readyFile, { force: true });
  await removeLeftoverSandboxes(config.namePrefix, logger);
  const context = await createPodContext(config, { client, logger, signal });
  const manager = createPodManager(context);
  const components: Component[] = [
    createKubeletServer({
      config,
      manager,
      logger,
      clock,
      access: createKubeletAccess(client, config.nodeName, clock),
    }),
    createServiceProxy({ client: proxyClient, config, logger: logger.child({ component: "service-proxy" }) }),
    createClusterDns({ client: proxyClient, config, logger: logger.child({ component: "cluster-dns" }) }),
    { name: "pods", run: (stop) => runPods(manager, { client, config, logger, signal: stop }) },
  ];
  try {
    await runAll(components, signal, logger);
  } finally {
    await manager.stopAll();
    context.cgroups.removeAll();
    await context.root.remove();
    await Promise.all([client.close(), proxyClient.close()]);
  }
}

interface NodeParts {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

async function runPods(manager: PodManager, parts: NodeParts & { config: NodeProcessConfig }): Promise<void> {
  const { client, config, logger, signal } = parts;
  const registration = { client, config, clock: systemClock, logger, signal };
  try {
    await registerNode(registration);
    // The first lease must not hold up the pods.
    const alive = keepNodeAlive(registration);
    await followPods(manager, { client, nodeName: config.nodeName, logger, signal });
    writeFileSync(config.readyFile, "");
    logger.info({ address: config.address }, "node is ready");
    await alive;
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  }
  await untilAborted(signal);
}

async function createPodContext(config: NodeProcessConfig, parts: NodeParts): Promise<PodContext> {
  const { client, logger, signal } = parts;
  const { placeholders } = programPaths(config.envoyBinary);
  const catalogue = () => loadImageCatalogue(config.imageCatalogues, placeholders, config.imageCache);
  // A bad catalogue is told now and not at the first pod.
  catalogue();
  const services = startInformer<Service>({ client, type: Kinds.Service, logger, signal });
  return {
    nodeName: config.nodeName,
    hostIPs: [config.address, ...(config.ipv6 ? [config.ipv6.address] : [])],
    labels: nodeObject(config).metadata?.labels ?? {},
    namePrefix: config.namePrefix,
    dns: {
      clusterDomain: config.clusterDomain,
      dnsAddress: config.dnsAddress,
      hostResolvConf: readFileSync("/etc/resolv.conf", "utf8"),
      hostHosts: readFileSync("/etc/hosts", "utf8"),
    },
    allocatable: nodeCapacity(),
    api: createNodeApi(client, config.nodeName, logger),
    objects: followReferencedObjects(client, logger, signal),
    services: () => services.list(),
    catalogue,
    ipPools: [createIpPool(config.podCIDR), ...(config.ipv6 ? [createIpv6Pool(config.ipv6.podCIDR)] : [])],
    cgroups: createContainerCgroups(machineHierarchies(), config.cgroup, {
      clock: systemClock,
      logger,
    }),
    root: await prepareNodeRoot(config.stateDir),
    clock: systemClock,
    logger,
  };
}
