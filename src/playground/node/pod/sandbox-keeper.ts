// A pod's sandbox and addresses, from the first try to make it until they are given back.
import type { Pod } from "#api/kubernetes/gen/types";
import type { PodContext } from "./pod-context.ts";
import { hostnameOf, kernelHostname } from "./pod-files.ts";
import { createPodSandboxAtLast, type PodSandbox, type SandboxOptions } from "./pod-sandbox.ts";

export class SandboxKeeper {
  readonly #context: PodContext;
  readonly #directory: string;
  readonly #pod: Pod;
  #current: PodSandbox | undefined;
  #podIPs: readonly string[] = [];
  #mine: readonly string[] = [];
  #removed: Promise<void> = Promise.resolve();

  constructor(context: PodContext, directory: string, pod: Pod) {
    this.#context = context;
    this.#directory = directory;
    this.#pod = pod;
  }

  get current(): PodSandbox | undefined {
    return this.#current;
  }

  /** They stay known after they were given back. */
  get podIPs(): readonly string[] {
    return this.#podIPs;
  }

  /** Tries until it is there or the signal aborts; `fifos` are made on the way. */
  async create(fifos: readonly string[], signal: AbortSignal, tell: (message: string) => void): Promise<void> {
    const { clock } = this.#context;
    const options = () => this.#options(fifos);
    this.#current = await createPodSandboxAtLast(options, { clock, signal, tell });
    if (this.#current) this.#podIPs = this.#addresses();
  }

  /** Resolves when nothing of it is left, also when an earlier call still works at that. */
  remove(): Promise<void> {
    const sandbox = this.#current;
    this.#current = undefined;
    this.#removed = this.#removed.then(() => this.#giveBack(sandbox));
    return this.#removed;
  }

  async #giveBack(sandbox: PodSandbox | undefined): Promise<void> {
    await sandbox?.remove();
    for (const [index, pool] of this.#context.ipPools.entries()) pool.release(this.#mine[index] ?? "");
    this.#mine = [];
  }

  #addresses(): readonly string[] {
    if (this.#pod.spec?.hostNetwork) return this.#context.hostIPs;
    if (this.#mine.length === 0) this.#mine = this.#context.ipPools.map((pool) => pool.allocate());
    return this.#mine;
  }

  #options(fifos: readonly string[]): SandboxOptions {
    const { spec = { containers: [] }, metadata } = this.#pod;
    const hostNetwork = spec.hostNetwork === true;
    return {
      uid: metadata?.uid ?? `${metadata?.namespace}/${metadata?.name}`,
      hostname: hostNetwork
        ? this.#context.nodeName
        : kernelHostname(this.#pod, this.#context.dns, hostnameOf(this.#pod)),
      podIPs: this.#addresses(),
      sysctls: spec.securityContext?.sysctls ?? [],
      hostNetwork,
      hostIPC: spec.hostIPC === true,
      sharePids: spec.shareProcessNamespace === true && !spec.hostPID,
      directory: this.#directory,
      namePrefix: this.#context.namePrefix,
      fifos,
    };
  }
}
