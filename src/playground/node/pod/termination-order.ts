// In which order the containers of a pod end: all ordinary ones at once, then its sidecars, the last started first.
import type { ContainerRunner } from "../container/container-runner.ts";

export interface PodContainers {
  /** Sidecars and ordinary init containers, in the order of the spec. */
  readonly init: readonly { readonly runner: ContainerRunner; readonly sidecar: boolean }[];
  readonly main: readonly ContainerRunner[];
  readonly ephemeral: readonly ContainerRunner[];
}

/** Ends them all; the grace period is that of the pod, for all of them together. */
export async function endContainers({ init, main, ephemeral }: PodContainers, graceSeconds: number): Promise<void> {
  const mains = main.map((runner) => runner.stop({ graceSeconds }));
  const others = [...ephemeral, ...init.filter(({ sidecar }) => !sidecar).map(({ runner }) => runner)];
  const ended = [...mains, ...others.map((runner) => runner.stop({ graceSeconds }))];
  let later: Promise<unknown> = Promise.all(mains);
  for (const { runner } of init.filter(({ sidecar }) => sidecar).reverse()) {
    const stopped = runner.stop({ graceSeconds, turn: later });
    ended.push(stopped);
    later = Promise.all([later, stopped]);
  }
  await Promise.all(ended);
}
