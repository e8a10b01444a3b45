// The supervisor of one playground: makes its networks and keys, starts its programs, and takes everything down when one
// of them ends or when it is told to. Its own death is everybody's (see README.md), so it cleans nothing up on a crash.
import { existsSync, readFileSync } from "node:fs";
import { EXIT_CODES, type ExitCode } from "#base/exit-code";
import { formatCidr } from "#base/ipv4-range";
import type { Logger } from "#base/logger";
import { errorMessage, MeshError } from "#base/mesh-error";
import { createKubeClient } from "#kube/create-kube-client";
import { parseKubeConfig } from "#kube/kubeconfig";
import { applyPlan, run } from "../network/apply-plan.ts";
import { buildLayout, type PlaygroundLayout } from "../network/layout.ts";
import { outerCandidates } from "../network/outer-segment.ts";
import { planNetwork } from "../network/plan-network.ts";
import { type ClusterFiles, writeClusterFiles } from "./cluster-files.ts";
import { type CaCerts, createCaCerts, createCommonRoot, putCaCerts } from "./common-root.ts";
import { identifySupervisor } from "./host-process.ts";
import { type HeldLock, holdLock, outerLock, runLock } from "./lock.ts";
import { ProgramError } from "./logged-program.ts";
import { pathsBelow } from "./playground-paths.ts";
import { StatusWriter } from "./playground-status.ts";
import { hostRanges } from "./preflight.ts";
import { RunningProgram } from "./running-program.ts";
import { initialStatus, statusOfClusters } from "./status-of-layout.ts";
import type { SupervisorConfig } from "./supervisor-config.ts";
import { renderKubeconfig, writeKubeconfig } from "./write-kubeconfig.ts";

/** What is asked to end by itself before it is killed; all of `down` takes about a second. */
const STOP_GRACE_MS = 700;

/** Runs until the signal aborts (exit code 0) or a part fails (1; the reason is in status.json). */
export async function runSupervisor(config: SupervisorConfig, logger: Logger, signal: AbortSignal): Promise<ExitCode> {
  const paths = pathsBelow(config.name, config.stateDir);
  const lock = await holdLock(runLock(paths));
  if (lock === undefined) throw new MeshError("ALREADY_RUNNING", `playground ${config.name} is running already`);
  const status = new StatusWriter(paths.statusFile, initialStatus(config, identifySupervisor()));
  await status.update({});
  const playground = new Playground(config, status, logger);
  try {
    await Promise.race([playground.start(), playground.failed, aborted(signal)]);
    await Promise.race([playground.failed, aborted(signal)]);
    await status.update({ phase: "stopping" });
    await playground.stop();
    await status.update({ phase: "stopped" });
    return EXIT_CODES.ok;
  } catch (thrown) {
    logger.error({ error: errorMessage(thrown) }, "playground failed");
    await status.update(failure(thrown));
    await playground.stop();
    return EXIT_CODES.failed;
  }
}

/** What a new interface of this machine would be allowed; its settings are its own. */
function hostSpeaksIpv6(): boolean {
  return readFileSync("/proc/sys/net/ipv6/conf/default/disable_ipv6", "utf8").trim() === "0";
}

function failure(thrown: unknown) {
  const error = MeshError.from(thrown);
  return {
    phase: "failed" as const,
    reason: errorMessage(error),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error instanceof ProgramError ? { logTail: error.tail } : {}),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

class Playground {
  readonly #config: SupervisorConfig;
  readonly #status: StatusWriter;
  readonly #logger: Logger;
  readonly #programs: RunningProgram[] = [];
  /** Rejects when the first program ends by itself; never resolves. */
  readonly failed: Promise<never>;
  #fail: (reason: unknown) => void = () => {};
  #layout: PlaygroundLayout | undefined;
  #reservation: HeldLock | undefined;

  constructor(config: SupervisorConfig, status: StatusWriter, logger: Logger) {
    this.#config = config;
    this.#status = status;
    this.#logger = logger;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  async start(): Promise<void> {
    const status = this.#status;
    const layout = await status.measure("addresses", () => this.#chooseAddresses());
    this.#layout = layout;
    await status.update({ outer: layout.outer, clusters: statusOfClusters(this.#config, layout) });
    const ipv6 = existsSync("/proc/sys/net/ipv6");
    const [files, caCerts] = await Promise.all([
      status.measure("certificates", () => Promise.all(layout.clusters.map((c) => writeClusterFiles(this.#config, c)))),
      this.#commonRoot(layout),
      status.measure("network", () => applyPlan(planNetwork(layout, { ipv6, hostIpv6: ipv6 && hostSpeaksIpv6() }))),
    ]);
    const paths = pathsBelow(this.#config.name, this.#config.stateDir);
    await writeKubeconfig(
      paths.kubeconfig,
      files.map((cluster) => cluster.admin),
    );
    await Promise.all(files.map((cluster) => this.#startCluster(cluster, caCerts.get(cluster.layout.name))));
    await status.update({ phase: "ready", readyAt: new Date().toISOString() });
    this.#logger.info({ phases: status.current.phases }, "playground ready");
  }

  async stop(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop(STOP_GRACE_MS)));
    const device = this.#layout?.outer.hostInterface;
    // The kernel would remove it too, but some time after the namespace of its other end.
    if (device !== undefined && existsSync(`/sys/class/net/${device}`)) {
      await run(["ip", "link", "del", device]).catch((thrown) => this.#logger.warn({ error: errorMessage(thrown) }));
    }
    await this.#reservation?.release();
  }

  /** The first free outer segment; the lock parts playgrounds that look at the same moment. */
  async #chooseAddresses(): Promise<PlaygroundLayout> {
    for (const candidate of outerCandidates(this.#config.topology, await hostRanges())) {
      this.#reservation = await holdLock(outerLock(formatCidr(candidate)));
      if (this.#reservation !== undefined) {
        return buildLayout(this.#config.topology, candidate, this.#config.stateDir);
      }
    }
    throw new MeshError("OUTER_CIDR_IN_USE", "no free address range is left for the outer segment", {
      hint: "take another playground down, or name a free range as outerCIDR in the topology",
    });
  }

  async #commonRoot(layout: PlaygroundLayout): Promise<ReadonlyMap<string, CaCerts>> {
    if (!this.#config.commonRoot) return new Map();
    const root = await createCommonRoot();
    return new Map(
      await Promise.all(layout.clusters.map(async ({ name }) => [name, await createCaCerts(root)] as const)),
    );
  }

  async #startCluster(files: ClusterFiles, caCerts: CaCerts | undefined): Promise<void> {
    const { name, namespace } = files.layout;
    const { programs } = this.#config;
    const start = (title: string, command: readonly string[], { config, log, readyFile }: ClusterFiles["node"]) => {
      const program = new RunningProgram({ title, command: [...command, config], namespace, log, readyFile });
      this.#programs.push(program);
      program.failed.catch(this.#fail);
      return program;
    };
    await this.#status.measure(`${name}: API server`, async () => {
      const program = start(`the API server of ${name}`, programs.cluster, files.cluster);
      const pid = program.hostPid;
      await this.#status.updateCluster(name, pid === undefined ? {} : { nodePid: pid, pids: { cluster: pid } });
      await program.ready();
    });
    await this.#status.updateCluster(name, { state: "api-ready" });
    await Promise.all([
      this.#status.measure(`${name}: node`, async () => {
        const program = start(`the node of ${name}`, programs.node, files.node);
        const pid = program.hostPid;
        const pids = this.#status.current.clusters.find((cluster) => cluster.name === name)?.pids ?? {};
        await this.#status.updateCluster(name, pid === undefined ? {} : { pids: { ...pids, node: pid } });
        await program.ready();
      }),
      caCerts && this.#status.measure(`${name}: common root`, () => plugIn(files, caCerts)),
    ]);
    await this.#status.updateCluster(name, { state: "ready" });
  }
}

async function plugIn(files: ClusterFiles, caCerts: CaCerts): Promise<void> {
  const client = createKubeClient(parseKubeConfig(renderKubeconfig([files.admin])));
  try {
    await putCaCerts(client, caCerts);
  } finally {
    await client.close();
  }
}
