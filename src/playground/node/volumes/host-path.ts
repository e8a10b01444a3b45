import { existsSync, mkdirSync, type Stats, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { HostPathVolumeSource } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";

type Check = readonly [matches: (stats: Stats) => boolean, words: string];

const CHECKS: Readonly<Record<string, Check>> = {
  Directory: [(stats) => stats.isDirectory(), "is not a directory"],
  DirectoryOrCreate: [(stats) => stats.isDirectory(), "is not a directory"],
  File: [(stats) => stats.isFile(), "is not a file"],
  FileOrCreate: [(stats) => stats.isFile(), "is not a file"],
  Socket: [(stats) => stats.isSocket(), "is not a socket file"],
  CharDevice: [(stats) => stats.isCharacterDevice(), "is not a character device"],
  BlockDevice: [(stats) => stats.isBlockDevice(), "is not a block device"],
};

/**
 * The path of the node that the volume shows, made where its type says so and checked.
 * Throws MeshError BAD_VOLUME, in the words that clients know.
 */
export function hostPath({ path, type = "" }: HostPathVolumeSource): string {
  const absent = !existsSync(path);
  if (absent && (type === "DirectoryOrCreate" || type === "")) mkdirSync(path, { recursive: true, mode: 0o755 });
  if (absent && type === "FileOrCreate") {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "");
  }
  if (type === "") return path;
  const [matches, words] = CHECKS[type] ?? [() => false, ""];
  if (words === "") throw new MeshError("BAD_VOLUME", `${type} is an invalid volume type`);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats && matches(stats)) return path;
  throw new MeshError("BAD_VOLUME", `hostPath type check failed: ${path} ${words}`);
}
