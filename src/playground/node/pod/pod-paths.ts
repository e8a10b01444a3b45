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
