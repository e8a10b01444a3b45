// The playground's API server and controllers as the program that a playground runs, on a loopback port, to be killed and
// started again over the same objects.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "#base/until";
import { CLUSTER_NODE_FLAGS } from "#playground/lifecycle/installation";
import type { ClusterProcessConfig } from "#playground/process-config";
import { makePki } from "./test-cluster.ts";

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const PROGRAM = join(ROOT, "dist", "bin", "playground-cluster.cjs");

export interface ApiServerProcess {
  /** https://127.0.0.1:PORT, the same in every life. */
  readonly url: string;
  /** Of a system:masters user. */
  readonly kubeconfig: string;
  readonly pid: number;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again; gives the milliseconds until it was ready. */
  start(): Promise<number>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Resolves when it is ready. It dies with this process. `nodeFlags` are for looking inside, such as --cpu-prof. */
export async function startApiServerProcess(
  name: string,
  nodeFlags: readonly string[] = [],
): Promise<ApiServerProcess> {
  const folder = mkdtempSync(join(tmpdir(), `isthmus-${name}-`));
  const { pki, adminConfig } = await makePki(name, folder);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const config: ClusterProcessConfig = {
    clusterName: name,
    listen: { address: "127.0.0.1", port },
    podCIDR: "10.244.0.0/16",
    serviceCIDR: "10.96.0.0/12",
    loadBalancerRange: { first: "172.31.0.1", last: "172.31.0.9" },
    pki,
    dataDir: join(folder, "objects"),
    kubeconfig: join(folder, "admin.kubeconfig"),
    readyFile: join(folder, "ready"),
    logLevel: "info",
  };
  writeFileSync(config.kubeconfig, adminConfig(url), { mode: 0o600 });
  const file = join(folder, "config.json");
  writeFileSync(file, JSON.stringify(config));
  let child: ChildProcess | undefined;
  const start = async () => {
    const began = performance.now();
    rmSync(config.readyFile, { force: true });
    child = spawnProgram([...CLUSTER_NODE_FLAGS, ...nodeFlags, PROGRAM, file], join(folder, "log"));
    const isReady = () => {
      if (child?.exitCode !== null)
        throw new Error(`it ended: ${readFileSync(join(folder, "log"), "utf8").slice(-2000)}`);
      return existsSync(config.readyFile);
    };
    await until(isReady, { reason: `API server ${name} is ready`, timeoutMs: 60_000, intervalMs: 5 });
    return performance.now() - began;
  };
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child?.once("exit", resolve));
    child.kill(signal);
    await gone;
  };
  await start();
  return {
    url,
    kubeconfig: adminConfig(url),
    get pid() {
      return child?.pid ?? 0;
    },
    kill: () => end("SIGKILL"),
    start,
    async stop() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    },
  };
}

function spawnProgram(args: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, "a");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", process.execPath, ...args], {
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  return child;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
