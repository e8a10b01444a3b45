// Where this machine keeps its control groups: version 1 with a hierarchy a controller, version 2 with one for all, or a mix.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What limits of containers need. */
const CONTROLLERS = ["cpu", "memory", "pids"] as const;

export type Controller = (typeof CONTROLLERS)[number];

export interface Hierarchy {
  readonly version: 1 | 2;
  /** Where it is mounted: own groups are made there, as a group with processes of its own may hand nothing on. */
  readonly path: string;
  readonly controllers: ReadonlySet<Controller>;
}

/** The hierarchies that can limit containers, from text in the form of /proc/self/mounts; empty when there are none. */
export function findHierarchies(mounts: string, read: (path: string) => string | undefined): Hierarchy[] {
  return mounts.split("\n").flatMap((line): Hierarchy[] => {
    const [, path = "", type, options = ""] = line.split(" ");
    if (type !== "cgroup" && type !== "cgroup2") return [];
    const version = type === "cgroup" ? 1 : 2;
    const words =
      version === 1 ? options.split(",") : (read(join(path, "cgroup.controllers")) ?? "").trim().split(/\s+/);
    const controllers = new Set(CONTROLLERS.filter((name) => words.includes(name)));
    return controllers.size === 0 ? [] : [{ version, path, controllers }];
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
  const found = findHierarchies(read("/proc/self/mounts") ?? "", read);
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
