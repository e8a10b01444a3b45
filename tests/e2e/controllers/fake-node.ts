// Plays the kubelets of a cluster as a plain client of its API: keeps nodes alive and does with a pod what the name of its
// first image says. Both engines get the same node, so what differs at the end is their controllers' doing.
import { Kinds } from "../../../src/api/kinds.ts";
import type { Pod, PodStatus } from "../../../src/api/kubernetes/gen/types.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { startInformer } from "../../../src/kube/informer.ts";
import type { KubeClient } from "../../../src/kube/kube-client.ts";

export interface NodeShape {
  readonly name: string;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly { key: string; value?: string; effect: string }[];
  readonly cpu?: string;
}

export interface FakeNodes {
  /** Registers a node and keeps its Lease. */
  register(shape: NodeShape): Promise<void>;
  /** Its Lease is no longer renewed and its pods no longer tended. */
  silence(name: string): void;
  /** Says Ready of the node itself, as its kubelet would. */
  sayReady(name: string, ready: boolean): Promise<void>;
}

const RENEW_MS = 3_000;

/** What images do: ready, unready, broken, succeeds, fails, exits-N, fails-on-N (a Job's index), lingers, waits. */
export function startFakeNodes(client: KubeClient, signal: AbortSignal): FakeNodes {
  const alive = new Set<string>();
  const silent = new Set<string>();
  const working = new Set<string>();
  let address = 0;

  const tend = async (pod: Pod) => {
    const { name = "", namespace = "", uid = "" } = pod.metadata ?? {};
    if (!pod.spec?.nodeName || silent.has(pod.spec.nodeName)) return;
    const image = pod.spec.containers[0]?.image ?? "";
    if (pod.metadata?.deletionTimestamp !== undefined) {
      if (image === "lingers") return;
      await client.delete(Kinds.Pod, { namespace, name }, { gracePeriodSeconds: 0, uid });
      return;
    }
    if (pod.status?.startTime !== undefined) return;
    const status = statusFor(pod, image, () => `10.244.${(address >> 8) & 255}.${address++ & 255}`);
    const at = { namespace, name, subresource: "status" };
    await client.patch(Kinds.Pod, at, { metadata: { uid }, status }, { type: "strategic" });
  };
  const once = async (pod: Pod) => {
    const key = `${pod.metadata?.uid} ${pod.metadata?.deletionTimestamp !== undefined}`;
    if (working.has(key)) return;
    working.add(key);
    // Whatever fails was overtaken by another change of the pod, which comes here too.
    await tend(pod).catch(() => {});
    working.delete(key);
  };
  startInformer<Pod>({
    client,
    type: Kinds.Pod,
    logger: silentLogger(),
    signal,
    onChange: ({ type, object }) => {
      if (type !== "DELETED") void once(object);
    },
  });
  const renew = setInterval(() => {
    for (const name of alive) void renewLease(client, name).catch(() => {});
  }, RENEW_MS);
  signal.addEventListener("abort", () => clearInterval(renew), { once: true });

  return {
    async register(shape) {
      await registerNode(client, shape);
      alive.add(shape.name);
    },
    silence(name) {
      alive.delete(name);
      silent.add(name);
    },
    async sayReady(name, ready) {
      const status = { conditions: [readyCondition(ready)] };
      await client.patch(Kinds.Node, { name, subresource: "status" }, { status }, { type: "strategic" });
    },
  };
}

function readyCondition(ready: boolean) {
  const now = new Date().toISOString().replace(/\.\d+/, "");
  const text = ready
    ? { status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }
    : { status: "False", reason: "KubeletNotReady", message: "container runtime is down" };
  return { type: "Ready", ...text, lastHeartbeatTime: now, lastTransitionTime: now };
}

async function registerNode(client: KubeClient, shape: NodeShape): Promise<void> {
  const { name, zone, labels = {}, taints, cpu = "64" } = shape;
  const zoned = zone === undefined ? {} : { "topology.kubernetes.io/zone": zone };
  const all = { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", ...zoned, ...labels };
  await client.create(Kinds.Node, {
    metadata: { name, labels: all },
    ...(taints === undefined ? {} : { spec: { taints: [...taints] } }),
  });
  const resources = { cpu, memory: "64Gi", pods: "1000" };
  const status = { capacity: resources, allocatable: resources, conditions: [readyCondition(true)] };
  await client.patch(Kinds.Node, { name, subresource: "status" }, { status }, { type: "strategic" });
  await client.create(Kinds.Lease, {
    metadata: { namespace: "kube-node-lease", name },
    spec: { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() },
  });
}

async function renewLease(client: KubeClient, name: string): Promise<void> {
  const spec = { renewTime: microTime() };
  await client.patch(Kinds.Lease, { namespace: "kube-node-lease", name }, { spec }, { type: "merge" });
}

function microTime(): string {
  return new Date().toISOString().replace(/Z$/, "000Z");
}

const time = () => new Date().toISOString().replace(/\.\d+/, "");

function statusFor(pod: Pod, image: string, nextIp: () => string): PodStatus {
  const startTime = time();
  const container = pod.spec?.containers[0]?.name ?? "";
  const about = { name: container, image, imageID: image, restartCount: 0 };
  const state = (ready: boolean, more: object) => [{ ...about, ready, started: ready, ...more }];
  if (image === "waits") return { startTime, phase: "Pending", conditions: conditions(false) };
  if (image === "broken") {
    const waiting = { reason: "ImagePullBackOff", message: "Back-off pulling image" };
    const containerStatuses = state(false, { state: { waiting } });
    return { startTime, phase: "Pending", conditions: conditions(false), containerStatuses };
  }
  const podIP = nextIp();
  const ips = { podIP, podIPs: [{ ip: podIP }], startTime };
  const exitCode = exitCodeOf(pod, image);
  if (exitCode !== undefined) {
    const terminated = {
      exitCode,
      reason: exitCode === 0 ? "Completed" : "Error",
      startedAt: startTime,
      finishedAt: startTime,
    };
    const containerStatuses = state(false, { state: { terminated } });
    const phase = exitCode === 0 ? "Succeeded" : "Failed";
    return { ...ips, phase, conditions: conditions(false), containerStatuses };
  }
  const ready = image !== "unready";
  const containerStatuses = state(ready, { state: { running: { startedAt: startTime } } });
  return { ...ips, phase: "Running", conditions: conditions(ready), containerStatuses };
}

/** undefined: it runs on. */
function exitCodeOf(pod: Pod, image: string): number | undefined {
  if (image === "succeeds") return 0;
  if (image === "fails") return 1;
  const exits = /^exits-(\d+)$/.exec(image)?.[1];
  if (exits !== undefined) return Number(exits);
  const index = /^fails-on-(\d+)$/.exec(image)?.[1];
  if (index === undefined) return undefined;
  return pod.metadata?.annotations?.["batch.kubernetes.io/job-completion-index"] === index ? 1 : 0;
}

function conditions(ready: boolean) {
  const status = ready ? "True" : "False";
  const lastTransitionTime = time();
  return [
    { type: "Initialized", status: "True", lastTransitionTime },
    { type: "ContainersReady", status, lastTransitionTime },
    { type: "Ready", status, lastTransitionTime },
  ];
}
