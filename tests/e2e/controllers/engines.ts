// The two control planes that play the scenarios, each with the same two nodes.
import { setMaxListeners } from "node:events";
import { Kinds } from "../../../src/api/kinds.ts";
import type { Pod } from "../../../src/api/kubernetes/gen/types.ts";
import { runAll } from "../../../src/base/component.ts";
import { silentLogger } from "../../../src/base/logger.ts";
import { until } from "../../../src/base/until.ts";
import { createKubeClient } from "../../../src/kube/create-kube-client.ts";
import type { KubeClient } from "../../../src/kube/kube-client.ts";
import { createTokenSigner } from "../../../src/playground/api-server/auth/service-account-tokens.ts";
import { createControllers } from "../../../src/playground/controllers/run-controllers.ts";
import { startRealApiServer } from "../../kit/real-api-server.ts";
import { startTestCluster } from "../../kit/test-cluster.ts";
import { type FakeNodes, startFakeNodes } from "./fake-node.ts";

export interface Engine {
  readonly client: KubeClient;
  readonly nodes: FakeNodes;
  stop(): Promise<void>;
}

/** A node is lost after so many seconds of silence, on both engines alike: half of the usual time. */
const NODE_GRACE_SECONDS = 20;

export async function startEmbedded(): Promise<Engine> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const logger = silentLogger();
  const cluster = await startTestCluster("controllers", logger);
  const signToken = createTokenSigner(cluster.config).signLegacy;
  const { client, config } = cluster;
  const controllers = createControllers({ client, config, signToken, logger, nodeGraceMs: NODE_GRACE_SECONDS * 1000 });
  const ended = runAll(controllers, stop.signal, logger);
  const nodes = await startNodes(client, stop.signal);
  return {
    client,
    nodes,
    async stop() {
      stop.abort();
      await ended;
      await cluster.stop();
    },
  };
}

/** kube-apiserver, kube-controller-manager and kube-scheduler, allowed to write as often as ours. */
export async function startReal(): Promise<Engine> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  const quick = ["--kube-api-qps=1000", "--kube-api-burst=2000"];
  const server = await startRealApiServer({
    name: "controllers",
    controllerManager: true,
    controllerManagerFlags: [...quick, `--node-monitor-grace-period=${NODE_GRACE_SECONDS}s`],
    scheduler: true,
    schedulerFlags: quick,
  });
  const client = createKubeClient(server.access);
  const nodes = await startNodes(client, stop.signal);
  return {
    client,
    nodes,
    async stop() {
      stop.abort();
      await client.close();
      await server.stop();
    },
  };
}

async function startNodes(client: KubeClient, signal: AbortSignal): Promise<FakeNodes> {
  const nodes = startFakeNodes(client, signal);
  await nodes.register({ name: "node-a", zone: "zone-a", labels: { pool: "both", disk: "ssd" } });
  await nodes.register({ name: "node-b", zone: "zone-b", labels: { pool: "both" } });
  for (const name of ["node-a", "node-b"]) await takesPods(client, name);
  return nodes;
}

/** A node is new for a while, and the scheduler learns last that it is no more: until a pod runs on it. */
async function takesPods(client: KubeClient, node: string): Promise<void> {
  const at = { namespace: "default", name: `first-on-${node}` };
  const spec = { nodeSelector: { "kubernetes.io/hostname": node }, containers: [{ name: "app", image: "ready" }] };
  const wait = { timeoutMs: 60_000, intervalMs: 50 };
  // The default service account of a new server comes a moment after it.
  const create = () => client.create(Kinds.Pod, { metadata: at, spec }).catch(() => undefined);
  await until(create, { reason: `a pod for ${node} is accepted`, ...wait });
  const phase = async () => (await client.get<Pod>(Kinds.Pod, at)).status?.phase === "Running";
  await until(phase, { reason: `${node} runs a pod`, ...wait });
  await client.delete(Kinds.Pod, at);
}
