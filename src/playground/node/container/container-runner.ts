// The life of one container of a pod: start, probes, hooks, restarts with back-off, stop.
import type { Container, ContainerStatus } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { kubeTime } from "../kube-time.ts";
import { runInContainer } from "../kubelet-server/run-in-container.ts";
import { podFullName } from "../pod/pod-name.ts";
import { needsRestart } from "../pod/pod-resize.ts";
import { watchProbes } from "../probes/container-probes.ts";
import { durationText, isDone, nextBackOff, shouldRestart } from "../status/restart-policy.ts";
import { changeLimits } from "./change-limits.ts";
import { type ContainerLog, openContainerLog } from "./container-log.ts";
import type { ContainerExit, ContainerProcess } from "./container-process.ts";
import type { ContainerRunnerOptions } from "./container-runner-options.ts";
import { initialStatus, newContainerID, START_FAILED, startedFacts, terminatedState } from "./container-status.ts";
import { type ContainerStop, endContainer } from "./end-container.ts";
import { type HookTarget, runHook } from "./lifecycle-hook.ts";
import { pullTold, WAITING_REASONS } from "./start-failure.ts";
import { terminationMessage } from "./termination-message.ts";

const RETRY_MS = 10_000;
const HOOK_TIMEOUT_MS = 600_000;

export class ContainerRunner {
  readonly name: string;
  readonly #options: ContainerRunnerOptions;
  readonly #stop = new AbortController();
  #status: ContainerStatus;
  #process: ContainerProcess | undefined;
  #ending: ContainerProcess | undefined;
  #log: ContainerLog | undefined;
  #attempt = 0;
  #finished = false;
  #hookError: string | undefined;
  #poke: (() => void) | undefined;
  #resolveFirst: () => void = () => undefined;
  /** Settles when the first start succeeded, its postStart hook included, or failed. */
  readonly firstStart: Promise<void>;

  constructor(options: ContainerRunnerOptions) {
    this.name = options.container.name;
    this.#options = options;
    this.#status = initialStatus(options.container, options.pod(), options.restartCount);
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

  get container(): Container {
    return this.#options.container;
  }

  /** Other amounts of cpu and memory, at once or by a restart. Answers why the machine refuses them. */
  resize(container: Container): string | undefined {
    const { process: running } = this;
    const restart = needsRestart(this.container, container);
    const refusal = running && !restart ? changeLimits(running, container) : undefined;
    if (refusal !== undefined) return refusal;
    this.#options.setResources(container);
    if (running && !restart) this.#update(startedFacts(container, running.identity));
    const how = { graceSeconds: this.#options.graceSeconds };
    if (running && restart) void this.#end(running, how, `Container ${this.name} resize requires restart`);
    return undefined;
  }

  get process(): ContainerProcess | undefined {
    return this.#status.state?.running ? this.#process : undefined;
  }

  /** Of the current or last start; of the one before with `previous`. Undefined when there was none. */
  logPath(previous: boolean): string | undefined {
    const attempt = this.#attempt - (previous && this.#isCurrent() ? 1 : 0);
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
    const { container, isInit, clock } = this.#options;
    let lastWait: number | undefined;
    while (!this.#stop.signal.aborted) {
      const startedAt = clock.now();
      const exit = await this.#runOnce();
      this.#resolveFirst();
      if (exit === "retry") {
        await this.#pause(RETRY_MS);
        continue;
      }
      const over = isDone(container, this.#options.pod(), { isInit, exitCode: exit.exitCode });
      if (this.#stop.signal.aborted || over) break;
      lastWait = nextBackOff(lastWait, clock.now() - startedAt);
      await this.#backOff(lastWait);
      if (!this.#stop.signal.aborted) this.#update({ restartCount: this.#status.restartCount + 1 });
    }
    this.#finished = true;
    this.#resolveFirst();
    this.#options.onChange();
  }

  /** Ends it in Kubernetes' order. Resolves when it is gone; a second call with less grace shortens the first. */
  async stop(how: ContainerStop): Promise<void> {
    this.#stop.abort();
    const running = this.process;
    if (running) await this.#end(running, how, `Stopping container ${this.name}`);
    else if (this.#process) this.#process.signal("SIGKILL");
    await this.#process?.exited;
  }

  async #runOnce(): Promise<ContainerExit | "retry"> {
    const { container, clock, record } = this.#options;
    const attempt = this.#attempt + 1;
    const log = openContainerLog(this.#options.logPath(attempt), clock);
    try {
      this.#process = await this.#options.launch(attempt, log);
    } catch (thrown) {
      log.close();
      return this.#startFailed(MeshError.from(thrown));
    }
    const running = this.#process;
    this.#log = log;
    this.#attempt = attempt;
    const startedAt = kubeTime(clock);
    record("Normal", "Started", "Container started");
    const containerID = newContainerID(running.pid);
    const started = !container.startupProbe;
    const ready = started && !container.readinessProbe && !container.lifecycle?.postStart;
    const imageID = `isthmus://${container.image ?? ""}`;
    const facts = startedFacts(container, running.identity);
    this.#update({ ...facts, containerID, imageID, started, ready, state: { running: { startedAt } } });
    // A stop that came while it started.
    if (this.#stop.signal.aborted) running.signal("SIGKILL");
    const exit = await this.#whileRunning(running);
    log.close();
    const ended = { container, exitCode: exit.exitCode, terminationLog: running.terminationLog, logPath: log.path };
    this.#terminated(exit, { startedAt, startError: undefined, said: terminationMessage(ended) });
    return exit;
  }

  async #whileRunning(running: ContainerProcess): Promise<ContainerExit> {
    const probes = new AbortController();
    void running.exited.then(() => probes.abort());
    const hookDone = await this.#postStart(running, probes.signal);
    this.#resolveFirst();
    const { container, clock, record } = this.#options;
    if (hookDone) {
      watchProbes({
        container,
        target: this.#target(running),
        clock,
        record,
        signal: probes.signal,
        onState: (change) => this.#update(change),
        onDead: (kind) => void this.#probeFailed(running, kind),
      });
    }
    return running.exited;
  }

  async #postStart(running: ContainerProcess, signal: AbortSignal): Promise<boolean> {
    const { container, record, graceSeconds } = this.#options;
    const hook = container.lifecycle?.postStart;
    if (!hook) return true;
    const { ok, message } = await runHook(hook, this.#target(running), HOOK_TIMEOUT_MS);
    if (signal.aborted) return false;
    if (ok) {
      if (!container.readinessProbe && !container.startupProbe) this.#update({ ready: true });
      return true;
    }
    this.#hookError = message;
    // The words of the hook may hold secrets: they are in the status only, as on every kubelet.
    record("Warning", "FailedPostStartHook", "PostStartHook failed");
    void this.#end(running, { graceSeconds }, "FailedPostStartHook");
    return false;
  }

  async #probeFailed(running: ContainerProcess, kind: "liveness" | "startup"): Promise<void> {
    const { container, graceSeconds, pod } = this.#options;
    const probe = kind === "liveness" ? container.livenessProbe : container.startupProbe;
    const again = shouldRestart(container, pod(), 137) ? ", will be restarted" : "";
    const how = { graceSeconds: probe?.terminationGracePeriodSeconds ?? graceSeconds };
    await this.#end(running, how, `Container ${this.name} failed ${kind} probe${again}`);
  }

  async #end(running: ContainerProcess, how: ContainerStop, message: string): Promise<void> {
    const { container, clock, record } = this.#options;
    const target = this.#target(running);
    if (this.#ending === running) {
      // It is being ended already: this call can only make it sooner.
      const { lifecycle: _, ...withoutHook } = container;
      const again = { running, target: { ...target, container: withoutHook }, clock, onHookFailed: () => undefined };
      return endContainer(again, how);
    }
    this.#ending = running;
    record("Normal", "Killing", message);
    const onHookFailed = () => record("Warning", "FailedPreStopHook", "PreStopHook failed");
    await endContainer({ running, target, clock, onHookFailed }, how);
  }

  #startFailed(error: MeshError): ContainerExit | "retry" {
    const { container, record } = this.#options;
    const waiting = WAITING_REASONS[error.code];
    if (waiting === undefined) {
      record("Warning", "Failed", `Error: ${error.message}`);
      const exit = { exitCode: START_FAILED.exitCode, message: error.message, oomKilled: false };
      this.#attempt++;
      this.#update({ containerID: newContainerID(0) });
      this.#terminated(exit, { startedAt: undefined, startError: error.message, said: "" });
      return exit;
    }
    const told = pullTold(container.image ?? "", waiting, this.#status.state?.waiting?.reason, error.message);
    for (const event of told.events) record(...event);
    const { reason, message } = told;
    this.#update({ ready: false, started: false, state: { waiting: { reason, message } } });
    return "retry";
  }

  #terminated(
    exit: ContainerExit,
    end: { startedAt: string | undefined; startError: string | undefined; said: string },
  ): void {
    const finishedAt = kubeTime(this.#options.clock);
    const terminated = terminatedState({ exit, ...end, finishedAt, containerID: this.#status.containerID });
    const ready = this.#options.isInit && exit.exitCode === 0 && this.#options.container.restartPolicy !== "Always";
    this.#update({ ready, started: false, state: { terminated } });
  }

  async #backOff(ms: number): Promise<void> {
    const { record, clock, pod } = this.#options;
    const { state } = this.#status;
    const lastState = state?.terminated ? { terminated: state.terminated } : {};
    const hookError = this.#hookError;
    this.#hookError = undefined;
    if (ms === 0) {
      const waiting = { reason: "PostStartHookError", message: hookError ?? "" };
      this.#update(hookError === undefined ? { lastState } : { lastState, state: { waiting } });
      return;
    }
    const where = podFullName(pod());
    const message = `back-off ${durationText(ms)} restarting failed container=${this.name} pod=${where}`;
    record("Warning", "BackOff", `Back-off restarting failed container ${this.name} in pod ${where}`);
    this.#update({ lastState, state: { waiting: { reason: "CrashLoopBackOff", message } } });
    await clock.sleep(ms, this.#stop.signal).catch(() => undefined);
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

  #target(running: ContainerProcess): HookTarget {
    const { container, podIP, pod, clock } = this.#options;
    const gone = new AbortController();
    void running.exited.then(() => gone.abort());
    return {
      container,
      podIP: podIP(),
      pod: podFullName(pod()),
      exec: (command, timeoutMs) => runInContainer(running, command, timeoutMs),
      wait: (ms) => clock.sleep(ms, gone.signal).catch(() => undefined),
    };
  }

  /** The newest log is that of the container as its status tells it, not of one that failed to start. */
  #isCurrent(): boolean {
    return this.#status.state?.waiting === undefined;
  }

  #update(change: Partial<ContainerStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#options.onChange();
  }
}
