// Joins a container of a pod with its image, environment and volumes: what one start of it needs.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { errorMessage, MeshError } from "#base/mesh-error";
import { resourceLimits } from "../cgroup/resource-limits.ts";
import type { ContainerLog } from "../container/container-log.ts";
import { type ContainerProcess, startContainerProcess } from "../container/container-process.ts";
import { ContainerRunner } from "../container/container-runner.ts";
import type { PidNamespace } from "../container/container-script.ts";
import { prepareCarriedTools } from "../container/container-tools.ts";
import type { DownwardFacts } from "../container/downward-api.ts";
import { containerEnvironment, type ObjectLookups } from "../container/environment.ts";
import { prepareContainer } from "../container/prepare-container.ts";
import { serviceEnvironment } from "../container/service-environment.ts";
import type { ImageProgram } from "../images/catalogue-entry.ts";
import { whyNoImageName } from "../images/image-name.ts";
import { runCommand } from "../run-command.ts";
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
  /** The pid namespace that a container is started in. */
  readonly pidNamespace: (container: Container) => PidNamespace;
  readonly containerDirectory: (name: string) => string;
  readonly logDirectory: string;
  readonly onChange: () => void;
}

/** An init container with restartPolicy Always runs on beside the others. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === "Always";
}

export type ContainerKind = "init" | "main" | "ephemeral";

const FIELDS: Readonly<Record<ContainerKind, string>> = {
  init: "spec.initContainers",
  main: "spec.containers",
  ephemeral: "spec.ephemeralContainers",
};

export function createContainerRunner(
  begun: Container,
  kind: ContainerKind,
  parts: PodParts,
  context: PodContext,
): ContainerRunner {
  const pod = parts.pod();
  const { name } = begun;
  let container = begun;
  const isInit = kind === "init";
  const fieldPath = `${FIELDS[kind]}{${name}}`;
  const record = (type: "Normal" | "Warning", reason: string, message: string) =>
    context.api.recordEvent(parts.pod(), { type, reason, message, fieldPath });
  return new ContainerRunner({
    get container() {
      return container;
    },
    setResources({ resources = {}, resizePolicy = [] }) {
      container = { ...container, resources, resizePolicy };
    },
    isInit,
    pod: parts.pod,
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
  const badName = whyNoImageName(image);
  if (badName) throw new MeshError("BAD_IMAGE_NAME", `Failed to apply default image tag "${image}": ${badName}`);
  const catalogue = context.catalogue();
  const found = catalogue.find(image);
  if (!found && container.imagePullPolicy === "Never") {
    const what = `Container image "${image}" is not present with pull policy of Never`;
    throw new MeshError("IMAGE_NEVER_PULLED", what);
  }
  if (!found) throw new MeshError("UNKNOWN_IMAGE", catalogue.unknown(image));
  const sandbox = parts.sandbox();
  if (!sandbox) throw new MeshError("START_FAILED", "the pod has no sandbox");
  tellPull(container, record);
  const { program, rootfs } = await prepareImage(image, found, context);
  await makePipes(parts.containerDirectory(name));
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
    rootfs,
    environment,
    volumes: parts.volumes,
    root: context.root,
    shm: sandbox.shm,
    podFiles: {
      "/etc/resolv.conf": resolvConf(pod, context.dns),
      "/etc/hosts": hostsFile(pod, facts.podIPs, context.dns),
      "/etc/hostname": `${hostnameOf(pod)}\n`,
    },
    directory: parts.containerDirectory(name),
    attempt,
    pids: parts.pidNamespace(container),
    cgroup: cgroupOf({ container, parts, context }, attempt),
  });
  record("Normal", "Created", "Container created");
  try {
    return await startContainerProcess(launch, sandbox.enter, log);
  } catch (thrown) {
    await launch.cgroup?.remove();
    throw thrown;
  }
}

/** Unpacks what an image brings of its own. An image that cannot be used is told like one that cannot be pulled. */
async function prepareImage(
  image: string,
  program: ImageProgram,
  context: PodContext,
): Promise<{ program: ImageProgram; rootfs: string | undefined }> {
  if (program.rootfs === undefined) return { program, rootfs: undefined };
  try {
    const [{ path, user }] = await Promise.all([
      program.rootfs.prepare(),
      prepareCarriedTools(context.root.toolsLayer),
    ]);
    const named = /^[^\d:][^:]*/.exec(program.user)?.[0];
    return { program: { ...program, user, ...(named === undefined ? {} : { userName: named }) }, rootfs: path };
  } catch (thrown) {
    throw new MeshError("UNKNOWN_IMAGE", `image "${image}" cannot be unpacked: ${errorMessage(thrown)}`, {
      cause: thrown,
    });
  }
}

/** Those of an ephemeral container are not there yet. */
async function makePipes(directory: string): Promise<void> {
  const pipes = ["stdout", "stderr"].map((name) => join(directory, name));
  if (pipes.every((path) => existsSync(path))) return;
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  await runCommand("mkfifo", ["-m", "666", ...pipes]);
}

/** Everything is on the machine already; who says Always wants to read of a pull. */
function tellPull({ image = "", imagePullPolicy }: Container, record: Launching["record"]): void {
  if (imagePullPolicy !== "Always") {
    const what = `Container image "${image}" already present on machine and can be accessed by the pod`;
    record("Normal", "Pulled", what);
    return;
  }
  record("Normal", "Pulling", `Pulling image "${image}"`);
  const took = "in 0s (0s including waiting). Image size: 0 bytes.";
  record("Normal", "Pulled", `Successfully pulled image "${image}" ${took}`);
}

function cgroupOf({ container, parts, context }: Omit<Launching, "record">, attempt: number) {
  const limits = resourceLimits(container) ?? (ownsItsProcesses(parts, container) ? undefined : {});
  if (limits === undefined) return undefined;
  const uid = parts.pod().metadata?.uid ?? parts.key.replace("/", "_");
  return context.cgroups.create(`${uid}-${container.name}-${attempt}`, limits);
}

/** In a pid namespace of others a group tells which processes are the container's. */
function ownsItsProcesses(parts: PodParts, container: Container): boolean {
  return parts.pidNamespace(container).kind === "own";
}
