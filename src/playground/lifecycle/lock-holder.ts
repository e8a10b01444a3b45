// Who holds a lock, when no file tells it any more: the kernel knows the socket, and /proc whose it is.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { identifyProcess, type ProcessIdentity } from "./host-process.ts";

/** A listening socket, in /proc/net/unix. */
const LISTENS = "00010000";

/** Undefined when nobody holds it, or somebody whose descriptors this process may not see. */
export function findLockHolder(name: string): ProcessIdentity | undefined {
  const shown = name.replaceAll("\0", "@");
  const row = readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    // Some runtimes fill the name up with zeros.
    .find(([, , , flags, , , , path]) => path?.replace(/@+$/, "") === shown && flags === LISTENS);
  const inode = row?.[6];
  if (inode === undefined) return undefined;
  const pid = readdirSync("/proc").find((entry) => /^\d+$/.test(entry) && holds(entry, `socket:[${inode}]`));
  return pid === undefined ? undefined : identifyProcess(Number(pid));
}

function holds(pid: string, target: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => isLinkTo(`/proc/${pid}/fd/${descriptor}`, target));
  } catch {
    // It has just ended, or is a stranger's.
    return false;
  }
}

function isLinkTo(path: string, target: string): boolean {
  try {
    return readlinkSync(path) === target;
  } catch {
    return false;
  }
}
