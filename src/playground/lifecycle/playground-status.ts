import { readFile, rename, writeFile } from "node:fs/promises";
import { MeshError } from "#base/mesh-error";
import type { ClusterIpv6 } from "../network/layout.ts";
import type { Engine, NodeKind } from "../process-config.ts";
import type { ProcessIdentity } from "./host-process.ts";
import type { PlaygroundPaths } from "./playground-paths.ts";

/** `crashed` is never written: it is what a reader makes of a status whose supervisor is gone. */
export type PlaygroundPhase = "starting" | "ready" | "stopping" | "stopped" | "failed" | "crashed";

export interface ClusterStatus {
  readonly name: string;
  readonly context: string;
  readonly network: string;
  /** URL of the API server. */
  readonly apiServer: string;
  readonly nodeName: string;
  /** Host pid of a process in the node's network namespace: `nsenter -t PID -n`. Absent until it runs. */
  readonly nodePid?: number;
  /** Host pids of the two programs. */
  readonly pids: { readonly cluster?: number; readonly node?: number };
  /** On the outer segment. */
  readonly address: string;
  readonly loadBalancerRange: { readonly first: string; readonly last: string };
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  readonly ipv6?: ClusterIpv6;
  readonly region: string;
  readonly zone: string;
  readonly state: "starting" | "api-ready" | "ready" | "failed";
  readonly logs: { readonly cluster: string; readonly node: string };
}

/** The whole of status.json. */
export interface PlaygroundStatus {
  readonly name: string;
  readonly phase: PlaygroundPhase;
  /** Why it failed, one line, and the end of the log that tells more. */
  readonly reason?: string;
  readonly hint?: string;
  readonly logTail?: readonly string[];
  readonly stateDir: string;
  readonly kubeconfig: string;
  readonly topology: string;
  readonly commonRoot: boolean;
  readonly engine: Engine;
  readonly nodes: NodeKind;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly readyAt?: string;
  readonly supervisor?: ProcessIdentity;
  /** The `unshare` whose end is the end of everything. */
  readonly guard?: ProcessIdentity;
  readonly outer?: { readonly cidr: string; readonly hostInterface: string; readonly hostAddress: string };
  readonly clusters: readonly ClusterStatus[];
  /** What took how long; those of two clusters run side by side. */
  readonly phases: readonly { readonly name: string; readonly ms: number }[];
  readonly supervisorLog: string;
}

/** Undefined when there is none. Throws MeshError STATUS_UNREADABLE when the file is no status. */
export async function readStatus(paths: PlaygroundPaths): Promise<PlaygroundStatus | undefined> {
  let text: string;
  try {
    text = await readFile(paths.statusFile, "utf8");
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as PlaygroundStatus;
  } catch (cause) {
    throw new MeshError("STATUS_UNREADABLE", `${paths.statusFile} is no status of a playground`, {
      cause,
      hint: `take it down with: isthmus playground down --name ${paths.name}`,
    });
  }
}

/** The one writer of status.json: every change is a whole new file, so that a reader never sees half of one. */
export class StatusWriter {
  #current: PlaygroundStatus;
  #writing: Promise<void> = Promise.resolve();
  readonly #file: string;

  constructor(file: string, initial: PlaygroundStatus) {
    this.#file = file;
    this.#current = initial;
  }

  get current(): PlaygroundStatus {
    return this.#current;
  }

  update(change: Partial<PlaygroundStatus>): Promise<void> {
    this.#current = { ...this.#current, ...change };
    const text = `${JSON.stringify(this.#current, undefined, 2)}\n`;
    this.#writing = this.#writing.then(async () => {
      await writeFile(`${this.#file}.new`, text, { mode: 0o600 });
      await rename(`${this.#file}.new`, this.#file);
    });
    return this.#writing;
  }

  updateCluster(name: string, change: Partial<ClusterStatus>): Promise<void> {
    const clusters = this.#current.clusters.map((cluster) =>
      cluster.name === name ? { ...cluster, ...change } : cluster,
    );
    return this.update({ clusters });
  }

  /** Runs `work` and notes how long it took. */
  async measure<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    await this.update({ phases: [...this.#current.phases, { name, ms: Math.round(performance.now() - start) }] });
    return result;
  }
}
