// The life of one pod on this node: sandbox, volumes, containers in order, status, end.
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import { untilAborted } from "#base/component";
import { errorMessage } from "#base/mesh-error";
import type { ContainerRunner } from "../container/container-runner.ts";
import { kubeTime } from "../kube-time.ts";
import { type ObservedPod, podStatus } from "../status/pod-status.ts";
import { StatusTeller } from "../status/status-teller.ts";
import { keepPodTokens, type PodTokens } from "../volumes/pod-tokens.ts";
import { createPodVolumes, mountVolumes, type PodVolumes } from "../volumes/pod-volumes.ts";
import { tokenProjections, type VolumeSources } from "../volumes/volume-content.ts";
import { createContainerRunner, isSidecar, type PodParts } from "./pod-containers.ts";
import type { PodContext } from "./pod-context.ts";
import { hostnameOf } from "./pod-files.ts";
import { followPodReferences, type PodReferences } from "./pod-references.ts";
import { createPodSandboxAtLast, type PodSandbox } from "./pod-sandbox.ts";

const DEFAULT_GRACE_SECONDS = 30;
/** Reading what a pod names takes milliseconds; after this long its user should know why nothing happens. */
const SLOW_READ_MS = 3000;

export class PodWorker {
  readonly key: string;
  readonly #context: PodContext;
  readonly #directory: string;
  readonly #startTime: string;
  readonly #stop = new AbortController();
  readonly #teller: StatusTeller;
  readonly #references: PodReferences;
  readonly #tokens: PodTokens;
  readonly #volumes: PodVolumes;
  readonly #init: ContainerRunner[] = [];
  readonly #containers: ContainerRunner[] = [];
  readonly #runs = new Set<Promise<void>>();
  #pod: Pod;
  #podIP: string | undefined;
  #sandbox: PodSandbox | undefined;
  #onSources: () => void = () => undefined;
  #terminating: Promise<void> | undefined;
  #setUp: Promise<void> | undefined;

  constructor(pod: Pod, context: PodContext) {
    this.key = objectKey(pod);
    this.#pod = pod;
    this.#context = context;
    this.#directory = join(context.root.podsDirectory, pod.metadata?.uid ?? this.key.replace("/", "_"));
    this.#startTime = pod.status?.startTime ?? kubeTime(context.clock);
    mkdirSync(join(this.#directory, "volumes"), { recursive: true, mode: 0o755 });
    this.#teller = new StatusTeller(
      () => podStatus(this.#observed()),
      (status) => context.api.patchPodStatus(this.#pod, status),
      context,
    );
    const changed = () => this.#sourcesChanged();
    this.#references = followPodReferences(pod, context.objects, changed);
    this.#tokens = keepPodTokens({
      projections: tokenProjections(pod),
      issue: (audience, seconds) => context.api.issueToken(pod, audience, seconds),
      clock: context.clock,
      logger: context.logger.child({ pod: this.key }),
      onChange: (problem) => {
        if (problem !== undefined) this.#event("Warning", "FailedMount", `no service account token: ${problem}`);
        changed();
      },
    });
    this.#volumes = createPodVolumes(pod, join(this.#directory, "volumes"), () => this.#sources());
    const create = (container: Container, init: boolean) =>
      createContainerRunner(container, init, this.#parts(), this.#context);
    for (const container of pod.spec?.initContainers ?? []) this.#init.push(create(container, true));
    for (const container of pod.spec?.containers ?? []) this.#containers.push(create(container, false));
  }

  get pod(): Pod {
    return this.#pod;
  }

  get sandbox(): PodSandbox | undefined {
    return this.#sandbox;
  }

  container(name: string): ContainerRunner | undefined {
    return [...this.#containers, ...this.#init].find((runner) => runner.name === name);
  }

  /** Starts the pod; returns at once. */
  start(): void {
    this.#teller.changed();
    this.#setUp = this.#run().catch((thrown: unknown) => {
      if (this.#stop.signal.aborted) return;
      this.#event("Warning", "FailedCreatePodSandBox", errorMessage(thrown));
      this.#context.logger.error({ pod: this.key, error: errorMessage(thrown) }, "pod could not be set up");
    });
  }

  /** A newer version of the object: labels and annotations for volumes, readiness gates. */
  update(pod: Pod): void {
    this.#pod = pod;
    this.#sourcesChanged();
    this.#teller.found(pod.status);
  }

  /** Ends the pod and removes all that it has on this node. A second call with less grace shortens the first. */
  terminate(graceSeconds?: number): Promise<void> {
    const grace = graceSeconds ?? this.#pod.metadata?.deletionGracePeriodSeconds ?? this.#grace();
    if (this.#terminating && grace > 0) return this.#terminating;
    const ended = this.#end(grace);
    this.#terminating ??= ended;
    return ended;
  }

  /** Sends the last status. */
  flush(): Promise<void> {
    return this.#teller.flush();
  }

  async #run(): Promise<void> {
    await Promise.all([this.#createSandbox(), this.#referencesKnown()]);
    await mountVolumes({
      volumes: this.#volumes,
      onNextChange: (wake) => {
        this.#onSources = wake;
      },
      tell: this.#warn("FailedMount"),
      signal: this.#stop.signal,
    });
    this.#teller.changed();
    for (const [index, container] of (this.#pod.spec?.initContainers ?? []).entries()) {
      const runner = this.#init[index];
      if (runner && !(await this.#runInit(runner, container))) return;
    }
    for (const runner of this.#containers) {
      if (this.#stop.signal.aborted) return;
      void this.#launch(runner);
      // In order, and a postStart hook holds back the next: proxies that must be first rely on it.
      await runner.firstStart;
    }
  }

  async #referencesKnown(): Promise<void> {
    const cancel = this.#context.clock.schedule(SLOW_READ_MS, () =>
      this.#event("Warning", "FailedMount", "the node cannot read the config maps and secrets of the pod yet"),
    );
    await Promise.race([this.#references.synced, untilAborted(this.#stop.signal)]).finally(cancel);
  }

  async #createSandbox(): Promise<void> {
    const [context, pod] = [this.#context, this.#pod];
    const hostNetwork = pod.spec?.hostNetwork === true;
    const podIP = hostNetwork ? context.hostIP : context.ipPool.allocate();
    const names = [...this.#init, ...this.#containers].map(({ name }) => name);
    for (const name of names) mkdirSync(this.#containerDirectory(name), { recursive: true, mode: 0o755 });
    const fifos = ["stdout", "stderr"].flatMap((stream) =>
      names.map((name) => join(this.#containerDirectory(name), stream)),
    );
    this.#sandbox = await createPodSandboxAtLast(
      {
        uid: pod.metadata?.uid ?? this.key,
        hostname: hostNetwork ? context.nodeName : hostnameOf(pod),
        podIP,
        hostNetwork,
        directory: this.#directory,
        namePrefix: context.namePrefix,
        fifos,
      },
      { clock: context.clock, signal: this.#stop.signal, tell: this.#warn("FailedCreatePodSandBox") },
    );
    this.#podIP = podIP;
    this.#sourcesChanged();
  }

  async #runInit(runner: ContainerRunner, container: Container): Promise<boolean> {
    if (this.#stop.signal.aborted) return false;
    const run = this.#launch(runner);
    if (!isSidecar(container)) {
      await run;
      return runner.status.state?.terminated?.exitCode === 0;
    }
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!runner.status.started && !this.#stop.signal.aborted) return;
        this.#teller.removeListener(look);
        resolve();
      };
      this.#teller.addListener(look);
      this.#stop.signal.addEventListener("abort", look, { once: true });
      look();
    });
    return true;
  }

  #launch(runner: ContainerRunner): Promise<void> {
    const run = runner.run();
    this.#runs.add(run);
    void run.then(() => this.#ended());
    return run;
  }

  /** Sidecars end when the last ordinary container has. */
  #ended(): void {
    const done = this.#containers.every(({ finished }) => finished);
    if (!done || this.#stop.signal.aborted) return;
    for (const [index, container] of (this.#pod.spec?.initContainers ?? []).entries()) {
      if (isSidecar(container)) void this.#init[index]?.stop(this.#grace());
    }
  }

  async #end(graceSeconds: number): Promise<void> {
    this.#stop.abort();
    const ordinary = [...this.#init, ...this.#containers];
    await Promise.all(ordinary.map((runner) => runner.stop(graceSeconds)));
    await this.#setUp;
    await Promise.all(this.#runs);
    this.#tokens.close();
    this.#references.release();
    await this.#sandbox?.remove();
    this.#sandbox = undefined;
    if (this.#podIP !== undefined && !this.#pod.spec?.hostNetwork) this.#context.ipPool.release(this.#podIP);
    rmSync(this.#directory, { recursive: true, force: true });
    rmSync(this.#logDirectory(), { recursive: true, force: true });
  }

  #sourcesChanged(): void {
    this.#onSources();
    for (const runner of [...this.#init, ...this.#containers]) runner.poke();
    if (!this.#sandbox) return;
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
    const { hostIP, nodeName, allocatable } = this.#context;
    return { pod: this.#pod, podIP: this.#podIP ?? "", hostIP, nodeName, allocatable };
  }

  #parts(): PodParts {
    return {
      pod: () => this.#pod,
      key: this.key,
      graceSeconds: this.#grace(),
      volumes: this.#volumes,
      lookups: this.#references,
      facts: () => this.#facts(),
      sandbox: () => this.#sandbox,
      containerDirectory: (name) => this.#containerDirectory(name),
      logDirectory: this.#logDirectory(),
      onChange: () => this.#teller.changed(),
    };
  }

  #observed(): ObservedPod {
    const init = this.#pod.spec?.initContainers ?? [];
    const observe = (runner: ContainerRunner, container: Container | undefined) => ({
      status: runner.status,
      finished: runner.finished,
      sidecar: container !== undefined && isSidecar(container),
    });
    return {
      pod: this.#pod,
      podIP: this.#podIP,
      hostIP: this.#context.hostIP,
      startTime: this.#startTime,
      now: kubeTime(this.#context.clock),
      init: this.#init.map((runner, index) => observe(runner, init[index])),
      containers: this.#containers.map((runner) => observe(runner, undefined)),
      conditions: this.#teller.last?.conditions ?? this.#pod.status?.conditions ?? [],
    };
  }

  #warn(reason: string): (message: string) => void {
    return (message) => this.#event("Warning", reason, message);
  }

  #event(type: "Normal" | "Warning", reason: string, message: string): void {
    this.#context.api.recordEvent(this.#pod, { type, reason, message });
  }

  #grace(): number {
    return this.#pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS;
  }

  #containerDirectory(name: string): string {
    return join(this.#directory, "containers", name);
  }

  #logDirectory(): string {
    const { namespace = "", name = "", uid = "" } = this.#pod.metadata ?? {};
    return join(this.#context.root.logsDirectory, `${namespace}_${name}_${uid}`);
  }
}
