// The Node object, its status and its Lease: how the cluster knows that this node is there and alive.
import { readFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";
import { Kinds } from "#api/kinds";
import type { Lease, Node, NodeStatus, Quantity } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { isNotFound, type KubeClient, KubeError } from "#kube/kube-client";
import type { NodeProcessConfig } from "../process-config.ts";
import { kubeTime } from "./kube-time.ts";
import { createScheduleTeller, statusIsNow, tellEvents } from "./node-events.ts";

const LEASE = { namespace: "kube-node-lease", durationSeconds: 40, renewMs: 10_000, retryMs: 300 } as const;
const STATUS_MS = 60_000;
const KUBELET_VERSION = "v1.35.0+isthmus";
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** CPU, memory and pods that the node offers: the machine's own. */
export function nodeCapacity(): Record<string, Quantity> {
  const memory = `${Math.floor(totalmem() / 1024)}Ki`;
  return { cpu: String(cpus().length), memory, pods: "250", "ephemeral-storage": "10Gi" };
}

/** The Node as it is created; its status goes separately. */
export function nodeObject(config: NodeProcessConfig): Node {
  const architecture = ARCHITECTURES[arch()] ?? arch();
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: config.nodeName,
      labels: {
        "kubernetes.io/hostname": config.nodeName,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "topology.kubernetes.io/region": config.region,
        "topology.kubernetes.io/zone": config.zone,
      },
    },
    spec: { podCIDR: config.podCIDR, podCIDRs: podCIDRs(config), providerID: `isthmus://${config.nodeName}` },
  };
}

function podCIDRs({ podCIDR, ipv6 }: NodeProcessConfig): string[] {
  return [podCIDR, ...(ipv6 ? [ipv6.podCIDR] : [])];
}

export function nodeStatus(config: NodeProcessConfig, now: string): NodeStatus {
  const condition = (type: string, status: string, reason: string, message: string) => ({
    ...{ type, status, reason, message },
    ...{ lastHeartbeatTime: now, lastTransitionTime: now },
  });
  const capacity = nodeCapacity();
  return {
    addresses: [
      { type: "InternalIP", address: config.address },
      ...(config.ipv6 ? [{ type: "InternalIP", address: config.ipv6.address }] : []),
      { type: "Hostname", address: config.nodeName },
    ],
    capacity,
    allocatable: capacity,
    daemonEndpoints: { kubeletEndpoint: { Port: config.kubelet.port } },
    conditions: [
      condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "node has enough memory"),
      condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "node has enough disk space"),
      condition("PIDPressure", "False", "KubeletHasSufficientPID", "node has enough process ids"),
      condition("Ready", "True", "KubeletReady", "the node runtime is posting ready status"),
    ],
    nodeInfo: {
      architecture: ARCHITECTURES[arch()] ?? arch(),
      bootID: machineFile("/proc/sys/kernel/random/boot_id"),
      containerRuntimeVersion: "isthmus://0.1.0",
      kernelVersion: release(),
      kubeProxyVersion: KUBELET_VERSION,
      kubeletVersion: KUBELET_VERSION,
      machineID: machineFile("/etc/machine-id"),
      operatingSystem: "linux",
      osImage: "Isthmus playground node",
      systemUUID: machineFile("/etc/machine-id"),
    },
  };
}

interface Registration {
  readonly client: KubeClient;
  readonly config: NodeProcessConfig;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Creates or takes over the Node, tells its status and takes the Lease. Tries until the API server answers. */
export async function registerNode(on: Registration): Promise<void> {
  for (;;) {
    try {
      await createNode(on);
      await tellStatus(on);
      tellEvents(on, [["Starting", "Starting kubelet."], statusIsNow(on, "NodeReady")]);
      return;
    } catch (thrown) {
      if (on.signal.aborted) throw thrown;
      on.logger.warn({ node: on.config.nodeName, error: errorMessage(thrown) }, "node not registered yet");
      await on.clock.sleep(LEASE.retryMs, on.signal);
    }
  }
}

/** Renews Lease and status until the signal aborts. */
export async function keepNodeAlive(on: Registration): Promise<void> {
  let statusDue = on.clock.now() + STATUS_MS;
  const tellSchedulable = createScheduleTeller(on);
  while (!on.signal.aborted) {
    let wait: number = LEASE.renewMs;
    try {
      await renewLease(on);
      tellSchedulable(await isCordoned(on));
      if (on.clock.now() >= statusDue) {
        await tellStatus(on);
        statusDue = on.clock.now() + STATUS_MS;
      }
    } catch (thrown) {
      wait = 1000;
      statusDue = 0; // the node may have been given up meanwhile: only its own word brings it back
      on.logger.warn({ node: on.config.nodeName, error: errorMessage(thrown) }, "lease not renewed");
    }
    await on.clock.sleep(wait, on.signal).catch(() => undefined);
  }
}

async function createNode({ client, config, signal }: Registration): Promise<void> {
  const node = nodeObject(config);
  try {
    await client.create(Kinds.Node, node, { signal });
  } catch (thrown) {
    if (!(thrown instanceof KubeError && thrown.status === 409)) throw thrown;
    const change = { metadata: { labels: node.metadata?.labels } };
    await client.patch(Kinds.Node, { name: config.nodeName }, change, { type: "merge", signal });
  }
}

async function tellStatus({ client, config, clock, signal }: Registration): Promise<void> {
  const { addresses = [], ...rest } = nodeStatus(config, kubeTime(clock));
  const at = { name: config.nodeName, subresource: "status" };
  // Two addresses of one type would be merged into one, for the type is their key.
  const status = { ...rest, addresses: [...addresses, { $patch: "replace" }] };
  await client.patch(Kinds.Node, at, { status }, { type: "strategic", signal });
}

async function renewLease({ client, config, clock, signal }: Registration): Promise<void> {
  const { namespace } = LEASE;
  const name = config.nodeName;
  const renewTime = new Date(clock.now()).toISOString().replace("Z", "000Z");
  try {
    await client.patch(Kinds.Lease, { namespace, name }, { spec: { renewTime } }, { type: "merge", signal });
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE.durationSeconds, renewTime };
    const lease: Lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { namespace, name }, spec };
    await client.create(Kinds.Lease, lease, { signal });
  }
}

async function isCordoned({ client, config, signal }: Registration): Promise<boolean> {
  try {
    return (await client.get<Node>(Kinds.Node, { name: config.nodeName }, signal)).spec?.unschedulable === true;
  } catch (thrown) {
    if (isNotFound(thrown)) return false;
    throw thrown;
  }
}

function machineFile(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
