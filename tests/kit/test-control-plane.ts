// A whole control plane in this process, on free loopback ports, against a test cluster.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "#base/clock";
import { createLogger, type Logger, silentLogger } from "#base/logger";
import { until } from "#base/until";
import { runControlPlane } from "#control-plane/main";
import { parseOptions } from "#control-plane/options";
import type { DoorName } from "#control-plane/servers";
import { createKubeClient } from "#kube/create-kube-client";
import { parseKubeConfig } from "#kube/kubeconfig";
import type { TestCluster } from "./test-cluster.ts";

const DOORS: readonly DoorName[] = ["http", "monitoring", "webhooks", "grpc", "secure-grpc"];

export interface TestControlPlane {
  readonly ports: Readonly<Record<DoorName, number>>;
  /** Where the Secret cacerts would be mounted; write files into it. */
  readonly caFolder: string;
  get(path: string): Promise<{ status: number; text: string }>;
  debug<T>(path: string): Promise<T>;
  ready(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestControlPlaneOptions {
  readonly clusterId?: string;
  /** Files of the plug-in CA; without them it signs itself. */
  readonly caCerts?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly logger?: Logger;
}

export async function startTestControlPlane(
  cluster: TestCluster,
  options: TestControlPlaneOptions = {},
): Promise<TestControlPlane> {
  const caFolder = mkdtempSync(join(tmpdir(), "isthmus-cacerts-"));
  for (const [name, text] of Object.entries(options.caCerts ?? {})) writeFileSync(join(caFolder, name), text);
  const stop = new AbortController();
  const client = createKubeClient(parseKubeConfig(cluster.kubeconfig));
  const flags = ["httpAddr", "monitoringAddr", "httpsAddr", "grpcAddr", "secureGRPCAddr"];
  const parsed = parseOptions(
    flags.flatMap((flag) => [`--${flag}`, "127.0.0.1:0"]),
    { CLUSTER_ID: options.clusterId ?? "cluster1", ROOT_CA_DIR: caFolder, ...options.environment },
  );
  const ports: Partial<Record<DoorName, number>> = {};
  const logger = options.logger ?? (process.env["LOG"] ? createLogger("test", "debug") : silentLogger());
  let failure: unknown;
  const finished = runControlPlane(parsed, {
    client,
    createRemoteClient: (kubeconfig) => createKubeClient(parseKubeConfig(kubeconfig)),
    clock: systemClock,
    logger,
    signal: stop.signal,
    onListening: (door, port) => {
      ports[door] = port;
    },
  }).catch((thrown: unknown) => {
    failure = thrown;
  });
  await until(() => failure !== undefined || DOORS.every((door) => ports[door] !== undefined), {
    reason: "the control plane listens",
    timeoutMs: 30_000,
    intervalMs: 5,
  });
  if (failure !== undefined) throw failure;
  const open = ports as Record<DoorName, number>;
  const get = async (path: string) => {
    const answer = await fetch(`http://127.0.0.1:${open.http}${path}`);
    return { status: answer.status, text: await answer.text() };
  };
  return {
    ports: open,
    caFolder,
    get,
    async debug<T>(path: string) {
      const { status, text } = await get(`/debug/${path}`);
      if (status !== 200) throw new Error(`/debug/${path}: ${status} ${text}`);
      return JSON.parse(text) as T;
    },
    async ready() {
      let text = "";
      await until(
        async () => {
          const answer = await get("/ready");
          text = answer.text;
          return answer.status === 200;
        },
        { reason: `the control plane is ready ${text}`, timeoutMs: 30_000, intervalMs: 10 },
      );
    },
    async stop() {
      stop.abort();
      await finished;
      await client.close();
      rmSync(caFolder, { recursive: true, force: true });
      if (failure !== undefined) throw failure;
    },
  };
}
