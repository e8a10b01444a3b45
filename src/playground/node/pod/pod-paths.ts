import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Pod } from "#api/kubernetes/gen/types";
import type { NodeRoot } from "../node-root.ts";

/** Where the things of one pod lie on the node. */
export interface PodPaths {
  readonly pod: string;
  readonly volumes: string;
  /** Stays until the object of the pod is gone. */
  readonly logs: string;
  readonly container: (name: string) => string;
}

/** Makes the folder of each container; gives the pipes for what they say. */
export function makeContainerFolders(paths: PodPaths, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const folder = paths.container(name);
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    return [join(folder, "stdout"), join(folder, "stderr")];
  });
}

export function podPaths({ metadata }: Pod, root: NodeRoot): PodPaths {
  const { namespace = "", name = "", uid = "" } = metadata ?? {};
  const pod = join(root.podsDirectory, uid || `${namespace}_${name}`);
  return {
    pod,
    volumes: join(pod, "volumes"),
    logs: join(root.logsDirectory, `${namespace}_${name}_${uid}`),
    container: (container) => join(pod, "containers", container),
  };
}
