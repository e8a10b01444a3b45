import { MeshError } from "#base/mesh-error";
import type { ContainerProcess } from "../container/container-process.ts";
import type { ContainerRunner } from "../container/container-runner.ts";
import type { PodManager } from "../pod/pod-manager.ts";
import type { PodWorker } from "../pod/pod-worker.ts";
import type { PodRequest } from "./kubelet-request.ts";

/** Throws MeshError NOT_FOUND naming the pod. */
export function findPod(manager: PodManager, { namespace, pod }: PodRequest): PodWorker {
  const worker = manager.find(namespace, pod);
  if (!worker) throw new MeshError("NOT_FOUND", `pod ${namespace}/${pod} does not run on this node`);
  return worker;
}

/** Throws MeshError NOT_FOUND naming pod or container. */
export function findContainer(manager: PodManager, on: PodRequest): ContainerRunner {
  const runner = findPod(manager, on).container(on.container);
  if (!runner) throw new MeshError("NOT_FOUND", `pod ${on.namespace}/${on.pod} has no container "${on.container}"`);
  return runner;
}

/** Throws MeshError BAD_REQUEST when the container does not run. */
export function runningProcess(runner: ContainerRunner): ContainerProcess {
  const { process } = runner;
  if (!process) throw new MeshError("BAD_REQUEST", `container "${runner.name}" is not running`);
  return process;
}
