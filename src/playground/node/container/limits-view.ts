// Where programs look for the limits that they run under: /sys/fs/cgroup of the container shows its own groups.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ContainerCgroup } from "../cgroup/container-cgroups.ts";
import type { BindMount } from "./container-script.ts";

const TARGET = "/sys/fs/cgroup";

/** The mounts of it, in order; `directory` is the container's own on the node. Nothing for a container without limits. */
export function limitsView(
  directory: string,
  cgroup: Pick<ContainerCgroup, "folders"> | undefined,
): Pick<BindMount, "source" | "target">[] {
  const folders = cgroup?.folders ?? [];
  const whole = folders.find(({ hierarchy }) => hierarchy === undefined);
  if (whole !== undefined) return [{ source: whole.path, target: TARGET }];
  if (folders.length === 0) return [];
  const base = join(directory, "cgroup");
  const rows = folders.map(({ path, hierarchy = "" }) => ({
    source: path,
    target: join(TARGET, hierarchy),
    hierarchy,
  }));
  for (const { hierarchy } of rows) mkdirSync(join(base, hierarchy), { recursive: true });
  return [{ source: base, target: TARGET }, ...rows.map(({ source, target }) => ({ source, target }))];
}
