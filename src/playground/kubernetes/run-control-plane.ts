// The control plane of a Kubernetes release as one component: started in order, ended together.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Kinds } from "#api/kinds";
import { untilAborted } from "#base/component";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { until } from "#base/until";
import type { KubeClient } from "#kube/kube-client";
import type { KubernetesProcessConfig } from "../process-config.ts";
import {
  apiServerFlags,
  controllerManagerFlags,
  ETCD_HEALTH_URL,
  etcdFlags,
  schedulerFlags,
} from "./control-plane-flags.ts";
import { ControlPlaneProgram } from "./control-plane-program.ts";

/** A cold start on a busy machine takes a quarter of it. */
const READY_TIMEOUT_MS = 150_000;
const LOOK_MS = 50;

export interface ControlPlaneOptions {
  readonly config: KubernetesProcessConfig;
  /** Identity system:masters. */
  readonly client: KubeClient;
  readonly logger: Logger;
  /** Called once, when the API server is ready and pods can be made: the namespace `default` has its service account. */
  readonly onReady: () => void;
}

/**
 * Runs etcd, API server, controller manager and scheduler until the signal aborts. Throws MeshError PROGRAM_ENDED with
 * the end of its log when one of them ends, TIMEOUT when one is not ready in time.
 */
export async function runControlPlane(options: ControlPlaneOptions, signal: AbortSignal): Promise<void> {
  const { config, logger } = options;
  const { programs, logsDir } = config.kubernetes;
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const running: ControlPlaneProgram[] = [];
  const start = (name: string, file: string, flags: readonly string[]) => {
    const log = join(logsDir, `${config.clusterName}-${name}.log`);
    // In the program's own words: whoever reads this log looks for them.
    const tell = (lines: readonly string[]) => {
      for (const line of lines) process.stderr.write(`${name} | ${line}\n`);
    };
    const program = new ControlPlaneProgram({ name, file, flags, log, tell });
    running.push(program);
    return program;
  };
  const reached = async (state: string, condition: () => Promise<boolean>) => {
    const reason = `${state} of ${config.clusterName}`;
    const wait = until(condition, { reason, timeoutMs: READY_TIMEOUT_MS, intervalMs: LOOK_MS, signal });
    await Promise.race([wait, ...running.map(({ failed }) => failed)]);
    logger.info({ state }, "control plane");
  };
  try {
    start("etcd", programs.etcd, etcdFlags(config));
    await reached("etcd serves", etcdServes);
    start("kube-apiserver", programs.apiServer, apiServerFlags(config));
    await reached("the API server is ready", () => apiServerIsReady(options.client));
    start("kube-controller-manager", programs.controllerManager, controllerManagerFlags(config));
    start("kube-scheduler", programs.scheduler, schedulerFlags(config));
    await reached("pods can be made", () => defaultAccountExists(options.client));
    options.onReady();
    await Promise.race([untilAborted(signal), ...running.map(({ failed }) => failed)]);
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    logger.debug({ error: errorMessage(thrown) }, "control plane stopped while it started");
  } finally {
    await Promise.all(running.map((program) => program.kill()));
  }
}

async function etcdServes(): Promise<boolean> {
  const answer = await fetch(ETCD_HEALTH_URL, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  await answer?.body?.cancel();
  return answer?.ok === true;
}

function apiServerIsReady(client: KubeClient): Promise<boolean> {
  return client.request("GET", "/readyz").then(
    () => true,
    () => false,
  );
}

function defaultAccountExists(client: KubeClient): Promise<boolean> {
  return client.get(Kinds.ServiceAccount, { namespace: "default", name: "default" }).then(
    () => true,
    () => false,
  );
}
