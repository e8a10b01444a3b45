import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ConfigMap, Pod, PodSpec, PodStatus, Secret } from "#api/kubernetes/gen/types";
import { until } from "#base/until";
import { removeCgroupFolders } from "#playground/kubelet-node/cgroup-folders";

export interface HarnessEvent {
  readonly at: number;
  readonly event: string;
  readonly pod?: string;
  readonly status?: PodStatus;
  readonly reason?: string;
  readonly message?: string;
  readonly id?: number;
  readonly exitCode?: number;
  readonly output?: string;
  readonly left?: string;
  /** Why a command could not be done. */
  readonly error?: string;
  /** The machine keeps memory limits. */
  readonly limits?: boolean;
  /** Its kernel has IPv6. */
  readonly ipv6?: boolean;
}

const SAID_CHARACTERS = 4000;
const project = fileURLToPath(new URL("../../..", import.meta.url));

/** A pod manager with an API server of test doubles, in namespaces of its own that die with it. */
export class NodeHarness {
  readonly events: HarnessEvent[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #stateDir = mkdtempSync(join(tmpdir(), "isthmus-node-"));
  /** The end of what the node wrote for people. */
  #said = "";
  #nextId = 1;

  constructor(catalogues: readonly string[] = []) {
    const files = [join(project, "samples/playground/images.yaml"), ...catalogues];
    const harness = join(project, "tests/e2e/node/harness.ts");
    this.#child = spawn(
      "unshare",
      [
        ...["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
        ...[process.execPath, "--conditions=source", "--import", "tsx", harness, this.#stateDir, ...files],
      ],
      { cwd: project, stdio: ["pipe", "pipe", "pipe"] },
    );
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#said = (this.#said + text).slice(-SAID_CHARACTERS);
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.events.push(JSON.parse(line)));
  }

  async ready(): Promise<void> {
    await this.event("ready", () => true);
  }

  run(name: string, spec: PodSpec, metadata: Pod["metadata"] = {}): Pod {
    const pod: Pod = { metadata: { namespace: "default", uid: `uid-${name}`, ...metadata, name }, spec };
    this.send({ do: "pod", type: "ADDED", pod });
    return pod;
  }

  remove(pod: Pod, deletionGracePeriodSeconds: number): void {
    const metadata = { ...pod.metadata, deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds };
    this.send({ do: "pod", type: "MODIFIED", pod: { ...pod, metadata } });
  }

  put(object: ConfigMap | Secret): void {
    this.send({ do: "object", object });
  }

  send(command: Record<string, unknown>): void {
    this.#child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  async exec(pod: string, container: string, script: string): Promise<{ exitCode: number; output: string }> {
    return this.#ask({ do: "exec", pod, container, command: ["sh", "-c", script] });
  }

  async log(pod: string, container: string): Promise<string> {
    return (await this.#ask({ do: "log", pod, container })).output;
  }

  /** Names of the control groups of containers. */
  async groups(): Promise<string[]> {
    return (await this.#ask({ do: "groups" })).output.split("\n");
  }

  status(pod: string): PodStatus | undefined {
    return this.events.findLast((one) => one.event === "status" && one.pod === pod)?.status;
  }

  event(event: string, matches: (one: HarnessEvent) => boolean, timeoutMs = 60_000): Promise<HarnessEvent> {
    const find = () => {
      const failed = this.events.find((one) => one.event === "error");
      if (failed) throw new Error(`the node could not do what it was told: ${failed.error}`);
      const found = this.events.find((one) => one.event === event && matches(one));
      if (!found && this.#ended) throw new Error(`the node ended before it said ${event}: ${this.#said}`);
      return found;
    };
    return until(find, { reason: `the node says ${event}`, timeoutMs, intervalMs: 10 });
  }

  async podReady(pod: string): Promise<HarnessEvent> {
    const ready = (one: HarnessEvent) =>
      one.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
    return this.event("status", (one) => one.pod === pod && ready(one));
  }

  /** Stops all pods; gives the names of network namespaces and links that are left. */
  async quit(): Promise<string> {
    this.send({ do: "quit" });
    return (await this.event("quit", () => true)).left ?? "";
  }

  async close(): Promise<void> {
    const ended = this.#ended ? undefined : once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
    // The kernel ends the pods' processes a moment after their namespace's first one; until then they may still write.
    rmSync(this.#stateDir, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
    await removeCgroupFolders(`isthmus-harness-${basename(this.#stateDir)}`);
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #ask(command: Record<string, unknown>): Promise<{ exitCode: number; output: string }> {
    const id = this.#nextId++;
    this.send({ ...command, id });
    const { exitCode = -1, output = "" } = await this.event("answer", (one) => one.id === id);
    return { exitCode, output };
  }
}
