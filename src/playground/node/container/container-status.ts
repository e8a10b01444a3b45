// The parts of a container's status that follow from its spec and its end: pure.
import { randomBytes } from "node:crypto";
import type { Container, ContainerStateTerminated, ContainerStatus, Pod } from "#api/kubernetes/gen/types";
import type { ContainerExit } from "./container-process.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** Of a container that never ran: the program could not be started. */
export const START_FAILED = { exitCode: 128, reason: "StartError" } as const;
const NEVER = "1970-01-01T00:00:00Z";

/** As it is before the first start, which may be one of many: an earlier run of this node had some. */
export function initialStatus(container: Container, pod: Pod, restartCount: number): ContainerStatus {
  const { name, image = "" } = container;
  const reason = (pod.spec?.initContainers ?? []).length > 0 ? "PodInitializing" : "ContainerCreating";
  const volumeMounts = (container.volumeMounts ?? []).map((mount) => ({
    name: mount.name,
    mountPath: mount.mountPath,
    ...(mount.readOnly ? { readOnly: true, recursiveReadOnly: "Disabled" } : {}),
  }));
  return {
    ...{ name, image, imageID: "", ready: false, started: false, restartCount, state: { waiting: { reason } } },
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
  };
}

/** Tells the process on the node, for who debugs it; 0 when none came to be. */
export function newContainerID(pid: number): string {
  return `isthmus://${pid}-${randomBytes(16).toString("hex")}`;
}

/** What a container that was started has got: resources and the user it began as. */
export function startedFacts(container: Container, identity: ProcessIdentity): Partial<ContainerStatus> {
  const { uid, gid, groups } = identity;
  const { requests, limits } = container.resources ?? {};
  const resources = { ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) };
  return {
    ...(requests ? { allocatedResources: requests } : {}),
    resources,
    user: { linux: { uid, gid, supplementalGroups: [...groups] } },
  };
}

export interface ContainerEnd {
  readonly exit: ContainerExit;
  /** Undefined when its program never ran. */
  readonly startedAt: string | undefined;
  readonly finishedAt: string;
  readonly containerID: string | undefined;
  /** Why its program never ran. */
  readonly startError: string | undefined;
  /** What it said itself. */
  readonly said: string;
}

export function terminatedState(end: ContainerEnd): ContainerStateTerminated {
  const { exitCode, oomKilled } = end.exit;
  const message = [end.startError ?? end.exit.message, end.said].filter(Boolean).join(": ");
  const byExit = exitCode === 0 ? "Completed" : "Error";
  return {
    exitCode,
    reason: end.startError !== undefined ? START_FAILED.reason : oomKilled ? "OOMKilled" : byExit,
    startedAt: end.startedAt ?? NEVER,
    finishedAt: end.finishedAt,
    ...(message ? { message } : {}),
    ...(end.containerID === undefined ? {} : { containerID: end.containerID }),
  };
}
