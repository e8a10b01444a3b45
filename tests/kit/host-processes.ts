// Processes of a playground as this machine sees them in /proc. What is not below the process that the caller names is
// never found, so that nobody else's is ever touched.
import { readdirSync, readFileSync } from "node:fs";

/** The child of a process by its name, the first 15 bytes of it. Throws when there is none. */
export function childNamed(parent: number, name: string): number {
  const child = allPids().find((pid) => statOf(pid)?.parent === parent && statOf(pid)?.name === name);
  if (child === undefined) throw new Error(`process ${parent} has no child ${name}`);
  return child;
}

/** The node may live in a pid namespace of its own: of the processes below it, the one it knows under that number. */
export function processOnNode(pidOnNode: number, node: number): number {
  const level = pidsByNamespace(node).length - 1;
  const pid = allPids().find((each) => pidsByNamespace(each)[level] === pidOnNode && isBelow(each, node));
  if (level < 0 || pid === undefined) throw new Error(`process ${pidOnNode} is not one of node process ${node}`);
  return pid;
}

/** The process below `ancestor` that is the first of its pid namespace and in a cgroup whose last folder has that name. */
export function firstOfCgroup(folder: string, ancestor: number): number {
  const inside = (pid: number) =>
    readProc(pid, "cgroup")
      .split("\n")
      .some((line) => line.endsWith(`/${folder}`));
  const pid = allPids().find((each) => inside(each) && pidsByNamespace(each).at(-1) === 1 && isBelow(each, ancestor));
  if (pid === undefined) throw new Error(`no process below ${ancestor} is the first in cgroup ${folder}`);
  return pid;
}

function allPids(): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);
}

/** Its numbers, from this namespace inwards; empty when there is no such process. */
function pidsByNamespace(pid: number): number[] {
  const line = /^NSpid:\s*(.*)$/m.exec(readProc(pid, "status"))?.[1];
  return line === undefined ? [] : line.split(/\s+/).map(Number);
}

function isBelow(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = statOf(at)?.parent ?? 0) if (at === ancestor) return true;
  return false;
}

/** proc(5): the name stands in brackets and may hold anything, the parent is the second field after it. */
function statOf(pid: number): { name: string; parent: number } | undefined {
  const text = readProc(pid, "stat");
  if (text === "") return undefined;
  const close = text.lastIndexOf(")");
  const [, parent] = text.slice(close + 2).split(" ");
  return { name: text.slice(text.indexOf("(") + 1, close), parent: Number(parent) };
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it ended between two looks
  }
}
