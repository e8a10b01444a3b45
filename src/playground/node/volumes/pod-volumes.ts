import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { join, normalize } from "node:path";
import type { EmptyDirVolumeSource, Pod, Volume, VolumeMount } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import { errorMessage, MeshError } from "#base/mesh-error";
import { parseQuantity } from "../container/quantity.ts";
import { TOOL_ENVIRONMENT } from "../run-command.ts";
import { type AtomicDirectory, atomicDirectory } from "./atomic-directory.ts";
import { hostPath } from "./host-path.ts";
import { persistentVolumePath } from "./persistent-volume.ts";
import { type ClaimReader, claimNameOf, followPodClaims } from "./pod-claims.ts";
import { type VolumeSources, volumeFiles } from "./volume-content.ts";

export interface PodVolumes {
  /** Writes what is new into every volume. Throws MeshError CONFIG_MISSING, BAD_VOLUME or CLAIM_PENDING naming the volume. */
  refresh(): void;
  /** The path on this machine that a mount shows. Throws MeshError BAD_VOLUME. */
  mountSource(mount: VolumeMount, expand: (text: string) => string): string;
  /** Of the mount, or of the claim that the pod names. */
  isReadOnly(mount: VolumeMount): boolean;
  /** Unmounts what has a file system of its own and asks for nothing more; the folders stay for whoever made the directory. */
  remove(): void;
}

/** What they are made of, and whom to tell when more of it is there. */
export interface VolumeMakings {
  readonly sources: () => VolumeSources;
  readonly api: ClaimReader;
  readonly clock: Clock;
  readonly onChange: () => void;
}

/** The volumes of a pod below `directory`; those of hosts and of claims stay where they are. */
export function createPodVolumes(pod: Pod, directory: string, makings: VolumeMakings): PodVolumes {
  const { sources, api: reader, clock, onChange } = makings;
  const claims = followPodClaims(pod, { reader, clock, onChange });
  const group = pod.spec?.securityContext?.fsGroup;
  const written = new Map<string, AtomicDirectory>();
  const made = new Map<string, string>();
  const limited = new Set<string>();
  const readOnlyVolumes = new Set(
    (pod.spec?.volumes ?? []).filter((each) => each.persistentVolumeClaim?.readOnly).map(({ name }) => name),
  );
  const refreshVolume = (volume: Volume) => {
    const path = join(directory, volume.name);
    const files = volumeFiles(volume, sources());
    if (!files) {
      if (made.has(volume.name)) return;
      const isClaimed = claimNameOf(pod, volume) !== undefined;
      const plain = () => makePlainVolume(volume, path, { group, limited });
      made.set(volume.name, isClaimed ? persistentVolumePath(claims.get(volume), group) : plain());
      return;
    }
    const target = written.get(volume.name) ?? atomicDirectory(path, group);
    written.set(volume.name, target);
    made.set(volume.name, path);
    target.write(files);
  };
  return {
    refresh() {
      for (const volume of pod.spec?.volumes ?? []) {
        try {
          refreshVolume(volume);
        } catch (thrown) {
          const error = MeshError.from(thrown, "BAD_VOLUME");
          if (error.code === "CLAIM_PENDING" || error.code === "CLAIM_UNREAD") throw error;
          throw new MeshError(error.code, `MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`, {
            cause: error,
          });
        }
      }
    },
    mountSource(mount, expand) {
      const root = made.get(mount.name);
      if (root === undefined)
        throw badVolume(`mount ${mount.mountPath} names volume "${mount.name}", which the pod lacks`);
      const sub = mount.subPathExpr === undefined ? (mount.subPath ?? "") : expand(mount.subPathExpr);
      return sub === "" ? root : subPath(root, sub, mount);
    },
    isReadOnly: (mount) => mount.readOnly === true || readOnlyVolumes.has(mount.name),
    remove() {
      claims.close();
      for (const path of limited) runMount("umount", ["-l", path]);
    },
  };
}

export interface MountWait {
  readonly volumes: PodVolumes;
  /** Calls `wake` at the next change of anything that volumes are made of. */
  readonly onNextChange: (wake: () => void) => void;
  /** Called once for each thing that is missing. */
  readonly tell: (message: string) => void;
  readonly signal: AbortSignal;
}

/** Waits until every volume can be made, looking again only when something changed. */
export async function mountVolumes({ volumes, onNextChange, tell, signal }: MountWait): Promise<void> {
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  let told = "";
  while (!signal.aborted) {
    const changed = new Promise<void>(onNextChange);
    try {
      volumes.refresh();
      return;
    } catch (thrown) {
      const message = errorMessage(thrown);
      if (message !== told && !isPassing(thrown)) tell(message);
      told = message;
    }
    await Promise.race([changed, aborted]);
  }
}

/** Tokens and claims come a moment after the pod; that is nothing to tell anyone. */
function isPassing(thrown: unknown): boolean {
  const error = MeshError.from(thrown);
  return error.code === "CLAIM_UNREAD" || error.message.includes("service account token");
}

function subPath(root: string, sub: string, mount: VolumeMount): string {
  if (sub.startsWith("/") || normalize(sub).split("/").includes("..")) {
    throw badVolume(`subPath "${sub}" of mount ${mount.mountPath} leaves its volume`);
  }
  const path = join(root, sub);
  if (!existsSync(path)) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, statSync(root).mode & 0o7777);
  }
  // A container may have put a link there that leads out of the volume.
  const [real, home] = [realpathSync(path), realpathSync(root)];
  if (real === home || real.startsWith(`${home}/`)) return real;
  throw badVolume(`failed to prepare subPath for volumeMount "${mount.name}": "${sub}" leads out of its volume`);
}

interface PlainVolumes {
  readonly group: number | undefined;
  /** Takes up the paths that are file systems of their own. */
  readonly limited: Set<string>;
}

function makePlainVolume(volume: Volume, path: string, { group, limited }: PlainVolumes): string {
  if (volume.hostPath) return hostPath(volume.hostPath);
  if (volume.emptyDir === undefined) {
    const kind = Object.keys(volume).find((key) => key !== "name") ?? "no source";
    throw badVolume(`this node has no volumes of kind ${kind}`);
  }
  mkdirSync(path, { recursive: true });
  const size = memoryLimit(volume.emptyDir);
  if (size !== undefined) {
    runMount("mount", ["-t", "tmpfs", "-o", `size=${size}`, "emptydir", path]);
    limited.add(path);
  }
  chmodSync(path, group === undefined ? 0o777 : 0o2777);
  if (group !== undefined) chownSync(path, 0, group);
  return path;
}

/** Everything here lies in memory already; only a limit needs a file system of its own. */
function memoryLimit({ medium, sizeLimit }: EmptyDirVolumeSource): number | undefined {
  const bytes = medium === "Memory" && sizeLimit !== undefined ? parseQuantity(sizeLimit) : 0;
  return bytes > 0 ? Math.floor(bytes) : undefined;
}

function runMount(file: "mount" | "umount", args: readonly string[]): void {
  try {
    execFileSync(file, args, { env: TOOL_ENVIRONMENT, stdio: ["ignore", "ignore", "pipe"] });
  } catch (thrown) {
    if (file === "mount") throw badVolume(errorMessage(thrown));
  }
}

function badVolume(what: string): MeshError {
  return new MeshError("BAD_VOLUME", what);
}
