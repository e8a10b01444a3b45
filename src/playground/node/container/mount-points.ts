// Where a path of a container really lies on an overlay of the host's root, and making it a mount point there.
import { existsSync, lstatSync, mkdirSync, readlinkSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { MeshError } from "#base/mesh-error";
import type { BindMount } from "./container-script.ts";

/** What lies below a container's own layer: a folder of the node ("" for its root), and what of it is hidden. */
export interface LowerView {
  readonly base: string;
  isHidden(path: string): boolean;
}

/**
 * Follows symbolic links as the container will (`/var/run/x` is `/run/x`); hidden folders have no content. Throws MeshError BAD_VOLUME for a path that is not absolute or loops.
 */
export function resolveContainerPath(path: string, { base, isHidden }: LowerView): string {
  if (!path.startsWith("/")) throw new MeshError("BAD_VOLUME", `mount path "${path}" is not absolute`);
  let pending = parts(path);
  let current = "";
  for (let links = 0; pending.length > 0; ) {
    const [name = "", ...rest] = pending;
    const next = `${current}/${name}`;
    const link = isHidden(next) ? undefined : readLink(`${base}${next}`);
    if (link === undefined) {
      current = next;
      pending = rest;
      continue;
    }
    if (++links > 40) throw new MeshError("BAD_VOLUME", `mount path "${path}" has a loop of symbolic links`);
    pending = [...parts(resolve(current || "/", link)), ...rest];
    current = "";
  }
  return current || "/";
}

/** Where on the node a path of the container's own writable layer lies. */
export type Upper = (path: string) => string;

/** Puts mounts in an order in which each has its mount point, and makes the mount points. */
export function makeMountPoints(mounts: readonly BindMount[], upper: Upper, base = ""): BindMount[] {
  const ordered = [...mounts].sort((a, b) => a.target.length - b.target.length);
  for (const [index, { source, target }] of ordered.entries()) {
    const outer = ordered.slice(0, index).findLast((other) => target.startsWith(`${other.target}/`));
    const isDirectory = statSync(source).isDirectory();
    if (outer) makeEntry(join(outer.source, target.slice(outer.target.length)), isDirectory);
    else if (isDirectory) makeUpperFolder(upper, target, base);
    else {
      makeUpperFolder(upper, dirname(target), base);
      makeEntry(upper(target), false);
    }
  }
  return ordered;
}

/** Makes a folder in the upper layer that looks like the one of that name below it, if there is one. */
export function makeUpperFolder(upper: Upper, path: string, base = ""): void {
  if (path === "/" || existsSync(upper(path))) return;
  makeUpperFolder(upper, dirname(path), base);
  mkdirSync(upper(path), { mode: modeOf(`${base}${path}`) ?? 0o755 });
}

function makeEntry(path: string, isDirectory: boolean): void {
  if (existsSync(path)) return;
  mkdirSync(isDirectory ? path : dirname(path), { recursive: true });
  if (!isDirectory) writeFileSync(path, "");
}

function modeOf(path: string): number | undefined {
  try {
    return statSync(path).mode & 0o7777;
  } catch {
    return undefined;
  }
}

function readLink(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch {
    return undefined;
  }
}

function parts(path: string): string[] {
  return normalize(path).split("/").filter(Boolean);
}
