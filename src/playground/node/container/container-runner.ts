// The life of one container of a pod: start, probes, hooks, restarts with back-off, stop.
import type { Container, ContainerState, ContainerStateTerminated, ContainerStatus } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { MeshError } from "#base/mesh-error";
import { kubeTime } from "../kube-time.ts";
import { runInContainer } from "../kubelet-server/run-in-container.ts";
import { watchProbes } from "../probes/container-probes.ts";
import { type AttemptTarget, attemptProbe } from "../probes/probe-attempt.ts";
import { nextBackOff, type RestartPolicy, shouldRestart } from "../status/restart-policy.ts";
import { type ContainerLog, openContainerLog } from "./container-log.ts";
import type { ContainerExit, ContainerProcess } from "./container-process.ts";
import { endContainer } from "./end-container.ts";

export type EventRecorder = (type: "Normal" | "Warning", reason: string, message: string) => void;

export interface ContainerRunnerOptions {
  readonly container: Container;
  readonly policy: RestartPolicy;
  /** The restart count to begin with: what an earlier run of this node told the API server. */
  readonly restartCount: number;
  readonly podIP: () => string;
  readonly graceSeconds: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly record: EventRecorder;
  /** The path of the log of the n-th start. */
  readonly logPath: (attempt: number) => string;
  /** Prepares and starts the program. Throws MeshError. */
  readonly launch: (attempt: number, log: ContainerLog) => Promise<ContainerProcess>;
  /** The status changed. */
  readonly onChange: () => void;
}

/** Codes of errors that keep a container waiting, and Kubernetes' reason for each; others count as a failed start. */
const WAITING_REASONS: Readonly<Record<string, string>> = {
  UNKNOWN_IMAGE: "ErrImagePull",
  CONFIG_MISSING: "CreateContainerConfigError",
  BAD_FIELD_REF: "CreateContainerConfigError",
  BAD_QUANTITY: "CreateContainerConfigError",
  RUNS_AS_ROOT: "CreateContainerConfigError",
  BAD_VOLUME: "CreateContainerConfigError",
};
const RETRY_MS = 10_000;
const HOOK_TIMEOUT_MS = 600_000;
export class ContainerRunner {
  readonly name: string;
  readonly #options: ContainerRunnerOptions;
  readonly #stop = new AbortController();
  #status: ContainerStatus;
  #process: ContainerProcess | undefined;
  #log: ContainerLog | undefined;
  #attempt = 0;
  #finished = false;
  #killReason: string | undefined;
  #poke: (() => void) | undefined;
  #resolveFirst: () => void = () => undefined;
  /** Settles when the first start succeeded, its postStart hook included, or failed. */
  readonly firstStart: Promise<void>;

  constructor(options: ContainerRunnerOptions) {
    const { name, image = "" } = options.container;
    this.name = name;
    this.#options = options;
    const state = { waiting: { reason: "ContainerCreating" } };
    const { restartCount } = options;
    this.#status = { name, image, imageID: "", ready: false, started: false, restartCount, state };
    this.firstStart = new Promise((resolve) => {
      this.#resolveFirst = resolve;
    });
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  /** True when it ended and will not start again. */
  get finished(): boolean {
    return this.#finished;
  }

  get process(): ContainerProcess | undefined {
    return this.#status.state?.running ? this.#process : undefined;
  }

  logPath(previous: boolean): string | undefined {
    const attempt = this.#attempt - (previous ? 1 : 0);
    return attempt < 1 ? undefined : this.#options.logPath(attempt);
  }

  /** The log being written, for those who follow it. */
  get log(): ContainerLog | undefined {
    return this.#log;
  }

  /** Config maps or secrets changed: a container that waits for one of them is tried again at once. */
  poke(): void {
    if (this.#status.state?.waiting?.reason === WAITING_REASONS.CONFIG_MISSING) this.#poke?.();
  }

  /** Runs until the container ended for good or was stopped. */
  async run(): Promise<void> {
    const { policy, clock } = this.#options;
    let lastWait: number | undefined;
    while (!this.#stop.signal.aborted) {
      const startedAt = clock.now();
      const exit = await this.#runOnce();
      this.#resolveFirst();
      if (exit === "retry") {
        await this.#pause(RETRY_MS);
        continue;
      }
      if (this.#stop.signal.aborted || !shouldRestart(policy, exit.exitCode)) break;
      lastWait = nextBackOff(lastWait, clock.now() - startedAt);
      await this.#backOff(lastWait);
      this.#update({ restartCount: this.#status.restartCount + 1 });
    }
    this.#finished = true;
    this.#resolveFirst();
    this.#options.onChange();
  }

  /** Ends it in Kubernetes' order: preStop hook, SIGTERM, grace period, SIGKILL. Resolves when it is gone. */
  async stop(graceSeconds: number): Promise<void> {
    this.#stop.abort();
    const running = this.process;
    if (running) await this.#end(running, graceSeconds, "Stopping container");
    else if (this.#process) this.#process.signal("SIGKILL");
    await this.#process?.exited;
  }

  async #runOnce(): Promise<ContainerExit | "retry"> {
    const { container, clock, record } = this.#options;
    const attempt = this.#attempt + 1;
    const log = openContainerLog(this.#options.logPath(attempt), clock);
    this.#log = log;
    this.#attempt = attempt;
    const startedAt = kubeTime(clock);
    try {
      this.#process = await this.#options.launch(attempt, log);
    } catch (thrown) {
      log.close();
      return this.#startFailed(MeshError.from(thrown), startedAt);
    }
    record("Normal", "Started", `Started container ${container.name}`);
    const containerID = `isthmus://${this.#process.pid}-${clock.now()}`;
    const started = !container.startupProbe;
    const ready = started && !container.readinessProbe && !container.lifecycle?.postStart;
    const imageID = `isthmus://${container.image ?? ""}`;
    this.#update({ containerID, imageID, started, ready, state: { running: { startedAt } } });
    // A stop that came while it started.
    if (this.#stop.signal.aborted) this.#process.signal("SIGKILL");
    const exit = await this.#whileRunning(this.#process);
    log.close();
    this.#terminated(exit, startedAt);
    return exit;
  }

  async #whileRunning(running: ContainerProcess): Promise<ContainerExit> {
    const probes = new AbortController();
    void running.exited.then(() => probes.abort());
    const hookDone = await this.#postStart(running, probes.signal);
    this.#resolveFirst();
    if (hookDone) {
      watchProbes({
        container: this.#options.container,
        target: this.#target(running),
        clock: this.#options.clock,
        record: this.#options.record,
        signal: probes.signal,
        onState: (change) => this.#update(change),
        onDead: (reason) => void this.#restart(running, reason),
      });
    }
    return running.exited;
  }

  async #postStart(running: ContainerProcess, signal: AbortSignal): Promise<boolean> {
    const hook = this.#options.container.lifecycle?.postStart;
    if (!hook) return true;
    const { ok, output } = await attemptProbe(hook, this.#target(running), HOOK_TIMEOUT_MS);
    if (signal.aborted) return false;
    if (ok) {
      const { readinessProbe, startupProbe } = this.#options.container;
      if (!readinessProbe && !startupProbe) this.#update({ ready: true });
      return true;
    }
    this.#options.record("Warning", "FailedPostStartHook", `PostStartHook failed: ${output}`);
    void this.#restart(running, "FailedPostStartHook");
    return false;
  }

  async #restart(running: ContainerProcess, reason: string): Promise<void> {
    this.#killReason = reason;
    await this.#end(
      running,
      this.#options.graceSeconds,
      `Container failed (${reason}), will be restarted: stopping container`,
    );
  }

  async #end(running: ContainerProcess, graceSeconds: number, what: string): Promise<void> {
    const { container, clock, record } = this.#options;
    record("Normal", "Killing", `${what} ${container.name}`);
    await endContainer(running, this.#target(running), graceSeconds, clock);
  }

  #startFailed(error: MeshError, startedAt: string): ContainerExit | "retry" {
    const { container, record } = this.#options;
    const waiting = WAITING_REASONS[error.code];
    if (waiting === undefined) {
      record("Warning", "Failed", `Error: ${error.message}`);
      const exit = { exitCode: 128, message: error.message };
      this.#killReason = "StartError";
      this.#terminated(exit, startedAt);
      return exit;
    }
    const before = this.#status.state?.waiting?.reason;
    const isImage = waiting === "ErrImagePull";
    const reason = isImage && (before === waiting || before === "ImagePullBackOff") ? "ImagePullBackOff" : waiting;
    if (reason === "ImagePullBackOff") record("Normal", "BackOff", `Back-off pulling image "${container.image}"`);
    else
      record(
        "Warning",
        "Failed",
        isImage ? `Failed to pull image "${container.image}": ${error.message}` : `Error: ${error.message}`,
      );
    this.#attempt--;
    this.#update({ ready: false, started: false, state: { waiting: { reason, message: error.message } } });
    return "retry";
  }

  #terminated(exit: ContainerExit, startedAt: string): void {
    const { exitCode, message } = exit;
    const reason = this.#killReason === "StartError" ? "StartError" : exitCode === 0 ? "Completed" : "Error";
    this.#killReason = undefined;
    const { containerID } = this.#status;
    const terminated: ContainerStateTerminated = {
      exitCode,
      reason,
      startedAt,
      finishedAt: kubeTime(this.#options.clock),
      ...(message ? { message } : {}),
      ...(containerID === undefined ? {} : { containerID }),
    };
    this.#update({ ready: false, started: false, state: { terminated } });
  }

  async #backOff(ms: number): Promise<void> {
    const { container, record } = this.#options;
    const { state } = this.#status;
    const lastState: ContainerState = state?.terminated ? { terminated: state.terminated } : {};
    if (ms === 0) {
      this.#update({ lastState });
      return;
    }
    const message = `back-off ${ms / 1000}s restarting failed container=${container.name}`;
    record("Warning", "BackOff", `Back-off restarting failed container ${container.name}`);
    this.#update({ lastState, state: { waiting: { reason: "CrashLoopBackOff", message } } });
    await this.#options.clock.sleep(ms, this.#stop.signal).catch(() => undefined);
  }

  async #pause(ms: number): Promise<void> {
    const poked = new Promise<void>((resolve) => {
      this.#poke = resolve;
    });
    const timer = new AbortController();
    const timed = this.#options.clock
      .sleep(ms, AbortSignal.any([this.#stop.signal, timer.signal]))
      .catch(() => undefined);
    await Promise.race([poked, timed]);
    timer.abort();
    this.#poke = undefined;
  }

  #target(running: ContainerProcess): AttemptTarget {
    const { container, podIP } = this.#options;
    return { container, podIP: podIP(), exec: (command, timeoutMs) => runInContainer(running, command, timeoutMs) };
  }

  #update(change: Partial<ContainerStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#options.onChange();
  }
}
