// Where this machine keeps its control groups: version 1 with a hierarchy a controller, version 2 with one for all, or a mix.
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

/** What limits of containers need. */
const CONTROLLERS = ["cpu", "memory", "pids"] as const;

export type Controller = (typeof CONTROLLERS)[number];

export interface Hierarchy {
  readonly version: 1 | 2;
  /** The folder in which own groups may be made. */
  readonly path: string;
  readonly controllers: ReadonlySet<Controller>;
}

/** Text of /proc/self/mountinfo and /proc/self/cgroup. */
export interface CgroupFacts {
  readonly mountInfo: string;
  readonly selfCgroup: string;
  /** Content of a file below a hierarchy; undefined when it cannot be read. */
  readonly read: (path: string) => string | undefined;
}

/** The hierarchies that can limit containers; empty when the machine offers none. */
export function findHierarchies(facts: CgroupFacts): Hierarchy[] {
  const mounts = cgroupMounts(facts.mountInfo);
  const paths = ownPaths(facts.selfCgroup);
  return mounts.flatMap((mount) => {
    const path =
      mount.version === 2 ? mount.path : join(mount.path, relative(mount.root, paths.get(mount.key) ?? mount.root));
    const controllers = mount.version === 2 ? enabledControllers(path, facts.read) : mount.controllers;
    // A group of version 2 may have no processes where it hands controllers on: own groups begin at the top.
    return controllers.size === 0 ? [] : [{ version: mount.version, path, controllers }];
  });
}

/** As the process sees its machine. Never throws: without control groups there are no limits. */
export function machineHierarchies(): Hierarchy[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  };
  const mountInfo = read("/proc/self/mountinfo") ?? "";
  const found = findHierarchies({ mountInfo, selfCgroup: read("/proc/self/cgroup") ?? "", read });
  return found.filter((hierarchy) => hierarchy.version === 1 || handOn(hierarchy));
}

/** Offers the controllers of a version 2 hierarchy to groups below `path`; false when the kernel refuses. */
export function handOn({ path, controllers }: Pick<Hierarchy, "path" | "controllers">): boolean {
  try {
    writeFileSync(join(path, "cgroup.subtree_control"), [...controllers].map((name) => `+${name}`).join(" "));
    return true;
  } catch {
    return false;
  }
}

interface CgroupMount {
  readonly version: 1 | 2;
  readonly path: string;
  /** The group that the mount shows at its top. */
  readonly root: string;
  /** How /proc/self/cgroup names the hierarchy. */
  readonly key: string;
  readonly controllers: ReadonlySet<Controller>;
}

function cgroupMounts(mountInfo: string): CgroupMount[] {
  return mountInfo.split("\n").flatMap((line): CgroupMount[] => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root = "/", path = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ version: 2, path, root, key: "", controllers: new Set() }];
    if (type !== "cgroup") return [];
    const words = options.split(",");
    const controllers = new Set(CONTROLLERS.filter((name) => words.includes(name)));
    return [{ version: 1, path, root, key: [...controllers][0] ?? "-", controllers }];
  });
}

/** Controller, or nothing for version 2, to the group that this process is in. */
function ownPaths(selfCgroup: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of selfCgroup.split("\n")) {
    const [, names = "", path = ""] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of names.split(",")) if (path) paths.set(name, path);
  }
  return paths;
}

function enabledControllers(path: string, read: CgroupFacts["read"]): Set<Controller> {
  const words = (read(join(path, "cgroup.controllers")) ?? "").trim().split(/\s+/);
  return new Set(CONTROLLERS.filter((name) => words.includes(name)));
}
