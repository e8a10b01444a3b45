// Where a bound volume lies on this node.
import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import type { PersistentVolume } from "#api/kubernetes/gen/types";
import { MeshError } from "#base/mesh-error";
import { TOOL_ENVIRONMENT } from "../run-command.ts";
import { hostPath } from "./host-path.ts";

/** Parts of the specification that are no source. */
const NO_SOURCES = new Set([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);

/**
 * The folder of a hostPath or local volume, made and checked where its type says so; a local one belongs to the pod's
 * group, if it has one. Throws MeshError BAD_VOLUME.
 */
export function persistentVolumePath({ metadata, spec = {} }: PersistentVolume, group: number | undefined): string {
  if (spec.volumeMode === "Block") throw bad(`volume ${metadata?.name} is a block device, which this node has not`);
  if (spec.hostPath !== undefined) return hostPath(spec.hostPath);
  if (spec.local !== undefined) return localPath(spec.local.path, group);
  const kind = Object.keys(spec).find((key) => !NO_SOURCES.has(key)) ?? "no source";
  throw bad(`this node has no persistent volumes of kind ${kind}`);
}

function localPath(path: string, group: number | undefined): string {
  if (!existsSync(path)) throw bad(`path ${JSON.stringify(path)} does not exist`);
  if (!statSync(path).isDirectory()) throw bad("only directory and block device are supported");
  if (group !== undefined) giveTo(path, group);
  return path;
}

/** All of it, and what is made there later; a volume may hold very many files. */
function giveTo(path: string, group: number): void {
  const run = (file: string, args: readonly string[]) => execFileSync(file, args, { env: TOOL_ENVIRONMENT });
  run("chgrp", ["-R", String(group), path]);
  run("chmod", ["-R", "g+rwX", path]);
  run("find", [path, "-type", "d", "-exec", "chmod", "g+s", "{}", "+"]);
}

function bad(what: string): MeshError {
  return new MeshError("BAD_VOLUME", what);
}
