// The life of one pod on this node: sandbox, volumes, containers in order, status, end.
import { mkdirSync, rmSync } from "node:fs";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import { untilAborted } from "#base/component";
import { errorMessage } from "#base/mesh-error";
import type { ContainerRunner } from "../container/container-runner.ts";
import { kubeTime } from "../kube-time.ts";
import type { PodEvent } from "../node-api.ts";
import { type ObservedPod, type PodFailure, podStatus } from "../status/pod-status.ts";
import { StatusTeller } from "../status/status-teller.ts";
import { type PodTokens, tokensOfPod } from "../volumes/pod-tokens.ts";
import { createPodVolumes, mountVolumes, type PodVolumes } from "../volumes/pod-volumes.ts";
import type { VolumeSources } from "../volumes/volume-content.ts";
import { createContainerRunner, isSidecar, type PodParts } from "./pod-containers.ts";
import type { PodContext } from "./pod-context.ts";
import { DEADLINE, graceSecondsOf, watchDeadline } from "./pod-deadline.ts";
import { makeContainerFolders, type PodPaths, podPaths } from "./pod-paths.ts";
import { pidNamespaceOf } from "./pod-pids.ts";
import { followPodReferences, type PodReferences } from "./pod-references.ts";
import { PodResizer } from "./pod-resize.ts";
import { PodRunners } from "./pod-runners.ts";
import type { PodSandbox } from "./pod-sandbox.ts";
import { SandboxKeeper } from "./sandbox-keeper.ts";
import { endContainers } from "./termination-order.ts";

/** Reading what a pod names takes milliseconds; after this long its user should know why nothing happens. */
const SLOW_READ_MS = 3000;
const UNREADABLE = "the node cannot read the config maps and secrets of the pod yet";

export class PodWorker {
  readonly key: string;
  readonly #context: PodContext;
  readonly #paths: PodPaths;
  readonly #startTime: string;
  readonly #stop = new AbortController();
  readonly #teller: StatusTeller;
  readonly #references: PodReferences;
  readonly #tokens: PodTokens;
  readonly #volumes: PodVolumes;
  readonly #runners: PodRunners;
  readonly #sandbox: SandboxKeeper;
  readonly #runs = new Set<Promise<void>>();
  readonly #resizer: PodResizer;
  #pod: Pod;
  #failure: PodFailure | undefined;
  #containersMayStart = false;
  #onSources: () => void = () => undefined;
  #terminating: Promise<void> | undefined;
  #completing: Promise<void> | undefined;
  #setUp: Promise<void> | undefined;
  #cancelDeadline: () => void = () => undefined;

  /** `others` are the pods beside it that the node has given resources to. */
  constructor(pod: Pod, context: PodContext, others: () => readonly Pod[]) {
    this.key = objectKey(pod);
    const record = (event: PodEvent) => context.api.recordEvent(this.#pod, event);
    this.#resizer = new PodResizer({ ...context, others, record });
    this.#pod = pod;
    this.#context = context;
    this.#paths = podPaths(pod, context.root);
    this.#startTime = pod.status?.startTime ?? kubeTime(context.clock);
    mkdirSync(this.#paths.volumes, { recursive: true, mode: 0o755 });
    this.#sandbox = new SandboxKeeper(context, this.#paths.pod, pod);
    this.#teller = new StatusTeller(
      () => podStatus(this.#observed()),
      (status) => context.api.patchPodStatus(this.#pod, status),
      context,
    );
    const changed = () => this.#sourcesChanged();
    this.#references = followPodReferences(pod, context.objects, changed);
    this.#tokens = tokensOfPod(pod, context, (problem) => {
      if (problem !== undefined) this.#warn("FailedMount")(`no service account token: ${problem}`);
      changed();
    });
    const makings = { ...context, sources: () => this.#sources(), onChange: changed };
    this.#volumes = createPodVolumes(pod, this.#paths.volumes, makings);
    const parts = this.#parts();
    this.#runners = new PodRunners(pod, (container, kind) => createContainerRunner(container, kind, parts, context));
  }

  get pod(): Pod {
    return this.#pod;
  }

  get sandbox(): PodSandbox | undefined {
    return this.#sandbox.current;
  }

  /** True when none of its containers runs or will run again. */
  get over(): boolean {
    return this.#completing !== undefined || this.#terminating !== undefined;
  }

  container(name: string): ContainerRunner | undefined {
    return this.#runners.find(name);
  }

  /** Sends the last status. */
  flush(): Promise<void> {
    return this.#teller.flush();
  }

  /** Starts the pod; returns at once. */
  start(): void {
    if (this.#pod.status?.podIP !== undefined) {
      this.#event("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    }
    this.#teller.changed();
    const { clock } = this.#context;
    this.#cancelDeadline = watchDeadline(this.#pod, this.#startTime, { clock, onExceeded: () => this.#exceeded() });
    this.#setUp = this.#run().catch((thrown: unknown) => {
      if (this.#stop.signal.aborted) return;
      this.#warn("FailedSync")(`error syncing pod: ${errorMessage(thrown)}`);
      this.#context.logger.error({ pod: this.key, error: errorMessage(thrown) }, "pod could not be set up");
    });
  }

  /** A newer version of the object: labels and annotations for volumes, readiness gates, ephemeral containers. */
  update(pod: Pod): void {
    this.#pod = pod;
    const fresh = this.#runners.addEphemeral(pod);
    if (this.#containersMayStart && !this.over) for (const runner of fresh) void this.#launch(runner);
    this.resize();
    this.#sourcesChanged();
    this.#teller.found(pod.status);
  }

  /** Gives the containers the resources that the pod asks for by now, if the node has them. */
  resize(): void {
    if (this.over || !this.#containersMayStart) return;
    if (this.#resizer.look(this.#pod, this.#runners.resizable)) this.#teller.changed();
  }

  /** Ends the pod and removes all that it has on this node. A second call with less grace shortens the first. */
  terminate(graceSeconds?: number): Promise<void> {
    const grace = graceSeconds ?? this.#pod.metadata?.deletionGracePeriodSeconds ?? graceSecondsOf(this.#pod);
    if (this.#terminating && grace > 0) return this.#terminating;
    const ended = this.#end(grace);
    this.#terminating ??= ended;
    return ended;
  }

  async #run(): Promise<void> {
    const slow = () => this.#warn("FailedMount")(UNREADABLE);
    const cancel = this.#context.clock.schedule(SLOW_READ_MS, slow);
    const known = Promise.race([this.#references.synced, untilAborted(this.#stop.signal)]).finally(cancel);
    await Promise.all([this.#createSandbox(), known]);
    await mountVolumes({
      volumes: this.#volumes,
      onNextChange: (wake) => {
        this.#onSources = wake;
      },
      tell: this.#warn("FailedMount"),
      signal: this.#stop.signal,
    });
    this.#containersMayStart = true;
    this.resize();
    this.#teller.changed();
    for (const runner of this.#runners.ephemeral) if (!this.over) void this.#launch(runner);
    for (const { runner, container } of this.#runners.init) {
      if (await this.#runInit(runner, container)) continue;
      // It failed for good, and with it the pod.
      if (!this.#stop.signal.aborted) this.#complete();
      return;
    }
    for (const runner of this.#runners.main) {
      if (this.#stop.signal.aborted) return;
      void this.#launch(runner);
      // In order, and a postStart hook holds back the next: proxies that must be first rely on it.
      await runner.firstStart;
    }
  }

  async #createSandbox(): Promise<void> {
    const names = this.#runners.all.map(({ name }) => name);
    const fifos = makeContainerFolders(this.#paths, names);
    await this.#sandbox.create(fifos, this.#stop.signal, this.#warn("FailedCreatePodSandBox"));
    this.#sourcesChanged();
  }

  async #runInit(runner: ContainerRunner, container: Container): Promise<boolean> {
    if (this.#stop.signal.aborted) return false;
    const run = this.#launch(runner);
    if (isSidecar(container)) {
      await runner.firstStart;
      await this.#teller.until(() => runner.status.started === true, this.#stop.signal);
      return true;
    }
    await run;
    return runner.status.state?.terminated?.exitCode === 0;
  }

  #launch(runner: ContainerRunner): Promise<void> {
    const run = runner.run();
    this.#runs.add(run);
    void run.then(() => {
      const { main } = this.#runners;
      if (main.includes(runner) && main.every(({ finished }) => finished)) this.#complete();
    });
    return run;
  }

  /** The last ordinary container has ended: sidecars end too, and the pod gives back its network. */
  #complete(): void {
    if (this.over) return;
    this.#completing = this.#release(graceSecondsOf(this.#pod));
  }

  #exceeded(): void {
    if (this.over) return;
    this.#failure = DEADLINE;
    this.#event("Normal", DEADLINE.reason, DEADLINE.message);
    this.#teller.changed();
    this.#stop.abort();
    this.#completing = this.#release(graceSecondsOf(this.#pod));
  }

  async #release(graceSeconds: number): Promise<void> {
    this.#cancelDeadline();
    await endContainers(this.#runners.forTermination(), graceSeconds);
    await Promise.all(this.#runs);
    await this.#sandbox.remove();
    this.#teller.changed();
  }

  async #end(graceSeconds: number): Promise<void> {
    this.#stop.abort();
    await this.#release(graceSeconds);
    await this.#setUp;
    await this.#release(graceSeconds);
    this.#tokens.close();
    this.#references.release();
    this.#volumes.remove();
    rmSync(this.#paths.pod, { recursive: true, force: true });
    rmSync(this.#paths.logs, { recursive: true, force: true });
  }

  #sourcesChanged(): void {
    this.#onSources();
    for (const runner of this.#runners?.all ?? []) runner.poke();
    if (!this.#sandbox.current) return;
    try {
      this.#volumes.refresh();
    } catch (thrown) {
      // The pod keeps what it has; what is missing is told while it starts.
      this.#context.logger.debug({ pod: this.key, error: errorMessage(thrown) }, "volumes not refreshed");
    }
  }

  #sources(): VolumeSources {
    return { lookups: this.#references, facts: this.#facts(), token: (projection) => this.#tokens.get(projection) };
  }

  #facts() {
    const { hostIPs, nodeName, allocatable } = this.#context;
    const { podIPs } = this.#sandbox;
    return { pod: this.#pod, podIP: podIPs[0] ?? "", podIPs, hostIP: hostIPs[0] ?? "", hostIPs, nodeName, allocatable };
  }

  #parts(): PodParts {
    return {
      pod: () => this.#pod,
      key: this.key,
      graceSeconds: graceSecondsOf(this.#pod),
      volumes: this.#volumes,
      lookups: this.#references,
      facts: () => this.#facts(),
      sandbox: () => this.#sandbox.current,
      pidNamespace: ({ name }) => pidNamespaceOf(name, this),
      containerDirectory: this.#paths.container,
      logDirectory: this.#paths.logs,
      onChange: () => this.#teller.changed(),
    };
  }

  #observed(): ObservedPod {
    return {
      pod: this.#pod,
      podIPs: this.#sandbox.podIPs,
      hostIPs: this.#context.hostIPs,
      hasSandbox: this.#sandbox.current !== undefined,
      failure: this.#failure,
      resize: this.#resizer.condition,
      startTime: this.#startTime,
      now: kubeTime(this.#context.clock),
      init: this.#runners.observe("init"),
      containers: this.#runners.observe("main"),
      ephemeral: this.#runners.observe("ephemeral"),
      conditions: this.#teller.last?.conditions ?? this.#pod.status?.conditions ?? [],
    };
  }

  #warn = (reason: string) => (message: string) => this.#event("Warning", reason, message);

  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    this.#context.api.recordEvent(this.#pod, { type, reason, message });
  }
}
