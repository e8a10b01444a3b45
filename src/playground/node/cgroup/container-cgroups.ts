// One control group a container that has limits, in folders of the node's own, removed with it.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { type Hierarchy, handOn } from "./cgroup-hierarchies.ts";
import { cgroupFiles, type ResourceLimits } from "./resource-limits.ts";

export interface ContainerCgroup {
  /** Writing `0` into each moves the writer into the group. */
  readonly procsFiles: readonly string[];
  /** Its folders on this machine: of version 1 one for each hierarchy, by the name under which programs look for it. */
  readonly folders: readonly { readonly path: string; readonly hierarchy: string | undefined }[];
  /** How many processes the kernel ended there for lack of memory. */
  oomKills(): number;
  /** Everything that runs in the group, as this process sees it. */
  processes(): number[];
  /** Changes the limits of what runs. Throws when the kernel refuses. */
  update(limits: ResourceLimits): void;
  /** Once its processes are gone; never throws. */
  remove(): Promise<void>;
}

export interface ContainerCgroups {
  /** False: the machine offers none, and containers run without limits. */
  readonly available: boolean;
  /** A new empty group; undefined when there is none to be had. Never throws. */
  create(name: string, limits: ResourceLimits): ContainerCgroup | undefined;
  removeAll(): void;
}

const REMOVE = { tries: 40, waitMs: 25 } as const;

/** `folder` is made in every hierarchy; what an earlier run left in it is ended and removed first. */
export function createContainerCgroups(
  hierarchies: readonly Hierarchy[],
  folder: string,
  on: { readonly clock: Clock; readonly logger: Logger },
): ContainerCgroups {
  const roots = hierarchies.map((hierarchy) => ({ ...hierarchy, path: join(hierarchy.path, folder) }));
  for (const { path } of roots) removeCgroupTree(path);
  const members = new Set<string>();
  const made = () => {
    for (const root of roots) {
      if (existsSync(root.path)) continue;
      mkdirSync(root.path);
      if (root.version === 2) handOn(root);
    }
  };
  return {
    available: roots.length > 0,
    create(name, limits) {
      if (roots.length === 0) return undefined;
      const groups = roots.map((root) => ({ ...root, path: join(root.path, name) }));
      try {
        made();
        for (const group of groups) mkdirSync(group.path, { recursive: true });
        write(groups, limits);
        members.add(name);
        shareFairly(roots, members.size);
        return containerCgroup(groups, hierarchies, on, () => {
          members.delete(name);
          shareFairly(roots, members.size);
        });
      } catch (thrown) {
        on.logger.warn({ container: name, error: errorMessage(thrown) }, "the container runs without limits");
        for (const { path } of groups) removeCgroupTree(path);
        return undefined;
      }
    },
    removeAll() {
      for (const { path } of roots) removeCgroupTree(path);
    },
  };
}

/** Ends what runs in the groups below `path` and removes them, as far as that goes at once. Never throws. */
export function removeCgroupTree(path: string): void {
  if (!existsSync(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroupTree(join(path, entry.name));
  }
  for (const pid of processesIn(path)) endProcess(pid);
  try {
    rmdirSync(path);
  } catch {
    // Processes that are still dying hold it; the next start of the node comes by again.
  }
}

/**
 * All containers with a share together weigh as many programs outside, so that requests decide among containers and
 * not between them and the rest of the machine.
 */
function shareFairly(roots: readonly Hierarchy[], count: number): void {
  for (const root of roots) {
    if (!root.controllers.has("cpu")) continue;
    const file = root.version === 1 ? "cpu.shares" : "cpu.weight";
    const each = root.version === 1 ? 1024 : 100;
    const most = root.version === 1 ? 262_144 : 10_000;
    try {
      writeFileSync(join(root.path, file), String(Math.min(most, each * Math.max(1, count))));
    } catch {
      // The weight among containers holds without it.
    }
  }
}

function write(groups: readonly Hierarchy[], limits: ResourceLimits): void {
  for (const group of groups) {
    for (const [file, content] of cgroupFiles(group, limits)) writeFileSync(join(group.path, file), content);
  }
}

function containerCgroup(
  groups: readonly Hierarchy[],
  hierarchies: readonly Hierarchy[],
  { clock }: { readonly clock: Clock },
  onRemoved: () => void,
): ContainerCgroup {
  const memory = groups.find(({ controllers }) => controllers.has("memory"));
  const events = memory && join(memory.path, memory.version === 1 ? "memory.oom_control" : "memory.events");
  return {
    procsFiles: groups.map(({ path }) => join(path, "cgroup.procs")),
    folders: groups.map(({ path, version }, index) => ({
      path,
      hierarchy: version === 1 ? basename(hierarchies[index]?.path ?? "") : undefined,
    })),
    oomKills: () => Number(/^oom_kill (\d+)$/m.exec(readText(events))?.[1] ?? 0),
    processes: () => processesIn(groups[0]?.path ?? ""),
    update: (limits) => write(groups, limits),
    async remove() {
      for (let tries = 0; tries < REMOVE.tries; tries++) {
        for (const { path } of groups) removeCgroupTree(path);
        if (groups.every(({ path }) => !existsSync(path))) break;
        await clock.sleep(REMOVE.waitMs);
      }
      onRemoved();
    },
  };
}

function processesIn(path: string): number[] {
  return readText(join(path, "cgroup.procs"))
    .split("\n")
    .map(Number)
    .filter((pid) => pid > 1);
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It went by itself.
  }
}

function readText(path: string | undefined): string {
  try {
    return path === undefined ? "" : readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
