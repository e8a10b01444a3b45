// The folder of a node in every cgroup hierarchy. Processes go with their namespace, folders do not: somebody must remove
// them after the last process, by name alone.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { MeshError } from "#base/mesh-error";
import { until } from "#base/until";

/** Of a cgroup v2 hierarchy, what a kubelet wants to be passed down. */
const CONTROLLERS = ["cpuset", "cpu", "io", "memory", "pids", "hugetlb"];
const REMOVE_MS = 5000;
/** Version 1: what a kubelet gives to all pods of a node for each processor. */
const SHARES_OF_A_PROCESSOR = 1024;

/** Mount points of all hierarchies, read from text in the form of /proc/self/mounts. */
export function cgroupMounts(mounts = readFileSync("/proc/self/mounts", "utf8")): readonly string[] {
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .flatMap(([, path, type]) => (path !== undefined && /^cgroup2?$/.test(type ?? "") ? [path] : []));
}

/** Makes the folder in every hierarchy, ready for a kubelet's `cgroupRoot`. */
export async function makeCgroupFolders(name: string, mounts = cgroupMounts()): Promise<void> {
  for (const mount of mounts) {
    const folder = join(mount, name);
    await mkdir(folder, { recursive: true });
    // Version 1: a cpuset without processors and memory takes no process.
    for (const file of ["cpuset.cpus", "cpuset.mems"]) await inheritSetting(folder, file);
    await giveShares(folder);
    await passControllersDown(dirname(folder));
    await passControllersDown(folder);
  }
}

async function inheritSetting(folder: string, file: string): Promise<void> {
  const above = join(dirname(folder), file);
  if (existsSync(above) && existsSync(join(folder, file)) && existsSync(join(folder, "cgroup.clone_children"))) {
    await writeFile(join(folder, file), (await readFile(above, "utf8")).trim());
  }
}

/**
 * Version 1: pods stand one folder deeper than on a machine that is a node alone; by default that folder would weigh no
 * more than one process.
 */
async function giveShares(folder: string): Promise<void> {
  const file = join(folder, "cpu.shares");
  if (existsSync(file)) await writeFile(file, String(availableParallelism() * SHARES_OF_A_PROCESSOR));
}

/** Version 2 only. What a hierarchy does not pass on, a kubelet names itself. */
async function passControllersDown(folder: string): Promise<void> {
  const file = join(folder, "cgroup.subtree_control");
  if (!existsSync(file)) return;
  const offered = (await readFile(join(folder, "cgroup.controllers"), "utf8")).trim().split(" ");
  for (const controller of CONTROLLERS.filter((name) => offered.includes(name))) {
    await writeFile(file, `+${controller}`).catch(() => {});
  }
}

/** Folders of any hierarchy whose name starts with `prefix`. */
export function findCgroupFolders(prefix: string, mounts = cgroupMounts()): readonly string[] {
  return mounts.flatMap((mount) =>
    readdirSync(mount)
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(mount, name)),
  );
}

/**
 * Removes every folder whose name starts with `prefix`, with all below it. Its processes must be dead or dying. Throws
 * MeshError LEFTOVER_CGROUP when one cannot be removed.
 */
export async function removeCgroupFolders(prefix: string, mounts = cgroupMounts()): Promise<void> {
  const attempt = async () => {
    for (const folder of findCgroupFolders(prefix, mounts)) await removeTree(folder).catch(() => {});
    return findCgroupFolders(prefix, mounts).length === 0;
  };
  const reason = `the cgroup folders ${prefix}* are gone`;
  await until(attempt, { reason, timeoutMs: REMOVE_MS, intervalMs: 20 }).catch((cause: unknown) => {
    const left = findCgroupFolders(prefix, mounts);
    throw new MeshError("LEFTOVER_CGROUP", `cannot remove the cgroup folders ${left.join(", ")}`, {
      cause,
      hint: "end what runs in them (their cgroup.procs), then remove them with rmdir",
    });
  });
}

async function removeTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(folder, entry.name));
  }
  await rmdir(folder);
}
