// From a container of a pod, its image and its environment to folders on disk and everything a launch needs.
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Container, Pod } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import type { ContainerCgroup } from "../cgroup/container-cgroups.ts";
import type { ImageProgram } from "../images/catalogue-entry.ts";
import { accountOf, type ImageAccount } from "../images/image-user.ts";
import type { NodeRoot } from "../node-root.ts";
import type { PodVolumes } from "../volumes/pod-volumes.ts";
import type { BindMount, ContainerLaunch, OverlayLayer, PidNamespace } from "./container-script.ts";
import { carriedTools } from "./container-tools.ts";
import type { ContainerEnvironment } from "./environment.ts";
import { limitsView } from "./limits-view.ts";
import { type LowerView, makeMountPoints, makeUpperFolder, resolveContainerPath, type Upper } from "./mount-points.ts";
import { processIdentity } from "./process-identity.ts";
import { DEFAULT_TERMINATION_PATH } from "./termination-message.ts";

export interface ContainerInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly program: ImageProgram;
  /** The image's own root file system, a folder on the node; undefined: the container sees the node's system folders. */
  readonly rootfs: string | undefined;
  readonly environment: ContainerEnvironment;
  readonly volumes: PodVolumes;
  readonly root: NodeRoot;
  readonly shm: string;
  /** Path in the container -> content: resolv.conf, hosts, hostname. */
  readonly podFiles: Readonly<Record<string, string>>;
  /** Of the container, with its `stdout` and `stderr` pipes. */
  readonly directory: string;
  /** Counts the starts: each gets a fresh root. */
  readonly attempt: number;
  readonly pids: PidNamespace;
  readonly cgroup: ContainerCgroup | undefined;
}

/** Programs expect these to be there; of the host's they show nothing. */
const EMPTY_FOLDERS = [
  ...["/dev", "/proc", "/sys", "/run", "/tmp", "/root", "/home", "/mnt"],
  ...["/var/cache", "/var/lib", "/var/log", "/var/tmp"],
];

/** Where the kernel's own file systems are mounted. */
const KERNEL_FOLDERS = ["/dev", "/proc", "/sys"];

/** Throws MeshError BAD_VOLUME, RUNS_AS_ROOT or NO_COMMAND. */
export function prepareContainer(input: ContainerInput): ContainerLaunch {
  const { pod, container, program, environment, root } = input;
  const directory = join(input.directory, String(input.attempt));
  // The start before, and a try of this one that was refused half-way.
  for (const attempt of [input.attempt - 1, input.attempt]) {
    rmSync(join(input.directory, String(attempt)), { recursive: true, force: true });
  }
  const layers = input.rootfs === undefined ? makeLayers(directory, root) : [imageLayer(directory, root, input.rootfs)];
  const view = viewOf(input);
  const upper = (path: string) => {
    const layer = layers.findLast(({ target }) => target === "/" || path === target || path.startsWith(`${target}/`));
    return join(layer?.upper ?? directory, path.slice(layer?.target === "/" ? 0 : layer?.target.length));
  };
  mkdirSync(join(directory, "root"));
  if (input.rootfs === undefined) makeEmptyFolders(upper);
  else for (const path of KERNEL_FOLDERS) makeUpperFolder(upper, path, input.rootfs);
  for (const [path, content] of Object.entries(input.podFiles))
    writeUpperFile(upper, view, path, { content, mode: 0o644 });
  for (const [path, content] of Object.entries(program.files))
    writeUpperFile(upper, view, path, { content, mode: 0o755 });
  const privileged = container.securityContext?.privileged === true;
  const account = accountsOf(input);
  const identity = processIdentity(pod, container, { ...program, account });
  const terminationLog = join(directory, "termination-log");
  writeFileSync(terminationLog, "");
  chmodSync(terminationLog, 0o666);
  const own = { source: terminationLog, target: terminationPath(container, view), readOnly: false };
  return {
    directory,
    terminationLog,
    pids: input.pids,
    cgroup: input.cgroup,
    layers,
    devices: root.devices,
    shm: input.shm,
    stdout: join(input.directory, "stdout"),
    stderr: join(input.directory, "stderr"),
    mounts: makeMountPoints([...imageMounts(program), ...podMounts(input, view), own], upper, view.base),
    readOnlyRoot: container.securityContext?.readOnlyRootFilesystem === true,
    privileged,
    limits: limitsView(directory, input.cgroup),
    stopSignal: program.stopSignal,
    stdin: container.stdin === true,
    stdinOnce: container.stdinOnce === true,
    tty: container.tty === true,
    ...(input.rootfs === undefined ? {} : { tools: carriedTools }),
    identity,
    variables: {
      HOSTNAME: input.podFiles["/etc/hostname"]?.trim() ?? "",
      HOME: account(identity.uid)?.home ?? "/",
      ...(container.tty === true ? { TERM: "xterm" } : {}),
      ...environment.variables,
    },
    workingDir: container.workingDir || program.workingDir,
    command: commandOf(container, program, environment),
  };
}

/** A container that sees the node's own files knows root alone: who else lives there is nothing of its own. */
function accountsOf({ rootfs }: ContainerInput): (uid: number) => ImageAccount | undefined {
  if (rootfs !== undefined) return (uid) => accountOf(rootfs, uid);
  return (uid) => (uid === 0 ? { gid: 0, home: "/root", groups: [] } : undefined);
}

function commandOf(container: Container, program: ImageProgram, { expand }: ContainerEnvironment): string[] {
  const own = (container.command ?? []).map(expand);
  const args = (container.args ?? []).map(expand);
  // A command of the pod's own drops the image's arguments too, as Kubernetes says.
  const words = own.length > 0 ? [...own, ...args] : [...program.command, ...(args.length > 0 ? args : program.args)];
  if (words.length === 0) {
    throw new MeshError("NO_COMMAND", `no command specified: container ${container.name} and its image name none`);
  }
  return words;
}

function makeEmptyFolders(upper: Upper): void {
  for (const path of EMPTY_FOLDERS) makeUpperFolder(upper, path);
  for (const path of ["/tmp", "/var/tmp"]) chmodSync(upper(path), 0o1777);
}

/** An image's own root below the container's changes; the runtime's tools are a folder beside the image's. */
function imageLayer(directory: string, root: NodeRoot, rootfs: string): OverlayLayer {
  const layer = {
    target: "/",
    lower: [root.toolsLayer, rootfs],
    upper: join(directory, "upper-0"),
    work: join(directory, "work-0"),
  };
  for (const path of [layer.upper, layer.work]) mkdirSync(path, { recursive: true, mode: 0o755 });
  return layer;
}

function viewOf({ rootfs, root }: ContainerInput): LowerView {
  return rootfs === undefined ? { base: "", isHidden: root.isHidden } : { base: rootfs, isHidden: () => false };
}

/** The host's root first, then each of its system folders that is a file system of its own. */
function makeLayers(directory: string, root: NodeRoot): OverlayLayer[] {
  return ["/", ...root.systemMounts].map((target, index) => {
    const hiding = join(root.hidingLayer, target);
    const layer = {
      target,
      lower: existsSync(hiding) ? [hiding, target] : [target],
      upper: join(directory, `upper-${index}`),
      work: join(directory, `work-${index}`),
    };
    for (const path of [layer.upper, layer.work]) mkdirSync(path, { recursive: true, mode: 0o755 });
    return layer;
  });
}

function terminationPath({ terminationMessagePath }: Container, view: LowerView): string {
  const path = terminationMessagePath || DEFAULT_TERMINATION_PATH;
  return path.startsWith("/dev/") ? path : resolveContainerPath(path, view);
}

function imageMounts(program: ImageProgram): BindMount[] {
  return Object.entries(program.mounts).map(([target, source]) => ({ source, target, readOnly: true }));
}

function podMounts({ container, volumes, environment }: ContainerInput, view: LowerView): BindMount[] {
  return (container.volumeMounts ?? []).map((mount) => ({
    source: volumes.mountSource(mount, environment.expandPath),
    target: resolveContainerPath(mount.mountPath, view),
    readOnly: volumes.isReadOnly(mount),
  }));
}

function writeUpperFile(
  upper: Upper,
  { base }: LowerView,
  path: string,
  { content, mode }: { content: string; mode: number },
): void {
  makeUpperFolder(upper, dirname(path), base);
  rmSync(upper(path), { force: true });
  writeFileSync(upper(path), content, { mode });
  chmodSync(upper(path), mode);
}
