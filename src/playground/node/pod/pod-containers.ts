// Joins a container of a pod with its image, environment and volumes: what one start of it needs.
import { join } from "node:path";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import type { ContainerLog } from "../container/container-log.ts";
import { type ContainerProcess, startContainerProcess } from "../container/container-process.ts";
import { ContainerRunner } from "../container/container-runner.ts";
import type { DownwardFacts } from "../container/downward-api.ts";
import { containerEnvironment, type ObjectLookups } from "../container/environment.ts";
import { prepareContainer } from "../container/prepare-container.ts";
import { serviceEnvironment } from "../container/service-environment.ts";
import { restartPolicyOf } from "../status/restart-policy.ts";
import type { PodVolumes } from "../volumes/pod-volumes.ts";
import type { PodContext } from "./pod-context.ts";
import { hostnameOf, hostsFile, resolvConf } from "./pod-files.ts";
import type { PodSandbox } from "./pod-sandbox.ts";

export interface PodParts {
  readonly pod: () => Pod;
  readonly key: string;
  readonly graceSeconds: number;
  readonly volumes: PodVolumes;
  readonly lookups: ObjectLookups;
  readonly facts: () => DownwardFacts;
  readonly sandbox: () => PodSandbox | undefined;
  readonly containerDirectory: (name: string) => string;
  readonly logDirectory: string;
  readonly onChange: () => void;
}

/** An init container with restartPolicy Always runs on beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

export function createContainerRunner(
  container: Container,
  isInit: boolean,
  parts: PodParts,
  context: PodContext,
): ContainerRunner {
  const pod = parts.pod();
  const { name } = container;
  const ofPod = restartPolicyOf(pod.spec?.restartPolicy);
  const once = isInit && !isSidecar(container);
  const policy = once ? (ofPod === "Never" ? "Never" : "OnFailure") : isInit ? "Always" : ofPod;
  const fieldPath = `spec.${isInit ? "initContainers" : "containers"}{${name}}`;
  const record = (type: "Normal" | "Warning", reason: string, message: string) =>
    context.api.recordEvent(parts.pod(), { type, reason, message, fieldPath });
  return new ContainerRunner({
    container,
    policy,
    restartCount: earlierRestarts(pod, name, isInit),
    podIP: () => parts.facts().podIP,
    graceSeconds: parts.graceSeconds,
    clock: context.clock,
    logger: context.logger.child({ pod: parts.key, container: name }),
    record,
    logPath: (attempt) => join(parts.logDirectory, name, `${attempt - 1}.log`),
    launch: (attempt, log) => launchContainer({ container, parts, context, record }, attempt, log),
    onChange: parts.onChange,
  });
}

/** A container that an earlier run of this node had started is started anew, which counts. */
function earlierRestarts(pod: Pod, name: string, isInit: boolean): number {
  const statuses = isInit ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
  const before = statuses?.find((status) => status.name === name);
  return before ? before.restartCount + (before.containerID ? 1 : 0) : 0;
}

interface Launching {
  readonly container: Container;
  readonly parts: PodParts;
  readonly context: PodContext;
  readonly record: (type: "Normal" | "Warning", reason: string, message: string) => void;
}

async function launchContainer(
  { container, parts, context, record }: Launching,
  attempt: number,
  log: ContainerLog,
): Promise<ContainerProcess> {
  const pod = parts.pod();
  const { image = "", name } = container;
  const catalogue = context.catalogue();
  const program = catalogue.find(image);
  if (!program) throw new MeshError("UNKNOWN_IMAGE", catalogue.unknown(image));
  const sandbox = parts.sandbox();
  if (!sandbox) throw new MeshError("START_FAILED", "the pod has no sandbox");
  if (attempt === 1) record("Normal", "Pulled", `Container image "${image}" is in the image catalogue`);
  const { namespace = "default" } = pod.metadata ?? {};
  const facts = parts.facts();
  const environment = containerEnvironment({
    container,
    facts,
    lookups: parts.lookups,
    imageEnv: program.env,
    serviceEnv: serviceEnvironment(context.services(), namespace, pod.spec?.enableServiceLinks !== false),
  });
  const launch = prepareContainer({
    pod,
    container,
    program,
    environment,
    volumes: parts.volumes,
    root: context.root,
    shm: sandbox.shm,
    podFiles: {
      "/etc/resolv.conf": resolvConf(pod, context.dns),
      "/etc/hosts": hostsFile(pod, facts.podIP, context.dns.clusterDomain),
      "/etc/hostname": `${hostnameOf(pod)}\n`,
    },
    directory: parts.containerDirectory(name),
    attempt,
  });
  record("Normal", "Created", `Created container: ${name}`);
  return startContainerProcess(launch, sandbox.enter, log);
}
