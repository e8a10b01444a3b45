import type { Pod } from "#api/kubernetes/gen/types";
import type { ContainerRunner } from "../container/container-runner.ts";
import type { PidNamespace } from "../container/container-script.ts";
import type { PodSandbox } from "./pod-sandbox.ts";

interface PodOfContainer {
  readonly pod: Pod;
  readonly sandbox: PodSandbox | undefined;
  container(name: string): ContainerRunner | undefined;
}

/** Whose processes a container of the pod is to see. */
export function pidNamespaceOf(name: string, of: PodOfContainer): PidNamespace {
  const { pod, sandbox } = of;
  const ephemeral = pod.spec?.ephemeralContainers?.find((one) => one.name === name);
  const target = ephemeral?.targetContainerName && of.container(ephemeral.targetContainerName)?.process;
  if (target) return { kind: "joined", path: `/proc/${target.pid}/ns/pid` };
  if (pod.spec?.hostPID) return { kind: "node" };
  return sandbox?.pids === undefined ? { kind: "own" } : { kind: "joined", path: sandbox.pids };
}
