// The containers of one pod by kind, in the order of its spec.
import type { Container, EphemeralContainer, Pod } from "#api/kubernetes/gen/types";
import type { ContainerRunner } from "../container/container-runner.ts";
import type { ObservedContainer } from "../status/pod-status.ts";
import { type ContainerKind, isSidecar } from "./pod-containers.ts";
import type { PodContainers } from "./termination-order.ts";

interface Member {
  readonly kind: ContainerKind;
  readonly container: Container;
  readonly runner: ContainerRunner;
}

export type RunnerMaker = (container: Container, kind: ContainerKind) => ContainerRunner;

export class PodRunners {
  readonly #members: Member[] = [];
  readonly #make: RunnerMaker;

  constructor(pod: Pod, make: RunnerMaker) {
    this.#make = make;
    for (const container of pod.spec?.initContainers ?? []) this.#add(container, "init");
    for (const container of pod.spec?.containers ?? []) this.#add(container, "main");
    this.addEphemeral(pod);
  }

  /** Takes up the ephemeral containers that are new; gives them. */
  addEphemeral(pod: Pod): ContainerRunner[] {
    const fresh = (pod.spec?.ephemeralContainers ?? []).filter(({ name }) => this.find(name) === undefined);
    return fresh.map((ephemeral) => this.#add(asContainer(ephemeral), "ephemeral"));
  }

  get all(): ContainerRunner[] {
    return this.#members.map(({ runner }) => runner);
  }

  /** Those that may be given other resources while they run. */
  get resizable(): ContainerRunner[] {
    return [...this.init.filter(({ container }) => isSidecar(container)).map(({ runner }) => runner), ...this.main];
  }

  get init(): Member[] {
    return this.#of("init");
  }

  get main(): ContainerRunner[] {
    return this.#of("main").map(({ runner }) => runner);
  }

  get ephemeral(): ContainerRunner[] {
    return this.#of("ephemeral").map(({ runner }) => runner);
  }

  find(name: string): ContainerRunner | undefined {
    return this.#members.find(({ runner }) => runner.name === name)?.runner;
  }

  forTermination(): PodContainers {
    const init = this.init.map(({ runner, container }) => ({ runner, sidecar: isSidecar(container) }));
    return { init, main: this.main, ephemeral: this.ephemeral };
  }

  observe(kind: ContainerKind): ObservedContainer[] {
    return this.#of(kind).map(({ runner, container }) => ({
      status: runner.status,
      finished: runner.finished,
      sidecar: kind === "init" && isSidecar(container),
    }));
  }

  #of(kind: ContainerKind): Member[] {
    return this.#members.filter((member) => member.kind === kind);
  }

  #add(container: Container, kind: ContainerKind): ContainerRunner {
    const runner = this.#make(container, kind);
    this.#members.push({ kind, container, runner });
    return runner;
  }
}

/** It runs once, whatever the pod's own policy is. */
function asContainer({ targetContainerName: _, ...container }: EphemeralContainer): Container {
  return { ...container, restartPolicy: "Never" };
}
