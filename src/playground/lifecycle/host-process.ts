// The supervisor lives in a pid namespace of its own, yet `down` and `nsenter` need the host's numbers. The guard hands it
// a descriptor of the host's /proc for that.
import { readFileSync, readlinkSync } from "node:fs";

/** A process that cannot be mistaken for a later one with the same number. Pids are the host's. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks after boot, as in /proc/PID/stat. */
  readonly startTime: string;
}

/** The descriptor number under which the supervisor inherits the host's /proc. */
export const HOST_PROC_FD = 3;
export const HOST_PROC = `/proc/self/fd/${HOST_PROC_FD}`;

interface Stat {
  readonly state: string;
  readonly parent: number;
  readonly startTime: string;
}

function readStat(pid: number, proc: string): Stat | undefined {
  try {
    const text = readFileSync(`${proc}/${pid}/stat`, "utf8");
    // The command name, in brackets, may hold spaces and brackets itself.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] ?? "", parent: Number(fields[1]), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

export function identifyProcess(pid: number, proc = "/proc"): ProcessIdentity | undefined {
  const stat = readStat(pid, proc);
  return stat && { pid, startTime: stat.startTime };
}

/** False for a zombie: it holds nothing any more. */
export function isAlive(identity: ProcessIdentity): boolean {
  const stat = readStat(identity.pid, "/proc");
  return stat !== undefined && stat.startTime === identity.startTime && stat.state !== "Z";
}

/** Sends a signal only to the very process that was identified. True when it was sent. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

/** This process as the host sees it, and the `unshare` that started its pid namespace. */
export function identifySupervisor(): { supervisor: ProcessIdentity; guard: ProcessIdentity } | undefined {
  try {
    const pid = Number(readlinkSync(`${HOST_PROC}/self`));
    const init = readStat(pid, HOST_PROC)?.parent ?? 0;
    const guard = identifyProcess(readStat(init, HOST_PROC)?.parent ?? 0, HOST_PROC);
    const supervisor = identifyProcess(pid, HOST_PROC);
    return supervisor && guard && { supervisor, guard };
  } catch {
    return undefined;
  }
}

/** The `unshare` that started the pid namespace of a supervisor that is known by its host's number. */
export function guardOf({ pid }: ProcessIdentity): ProcessIdentity | undefined {
  const init = readStat(pid, "/proc")?.parent ?? 0;
  return identifyProcess(readStat(init, "/proc")?.parent ?? 0);
}

/** The host's number of a child of this process that was started with `spawn`. */
export function hostPid(pid: number): number | undefined {
  try {
    const self = readlinkSync(`${HOST_PROC}/self`);
    const children = readFileSync(`${HOST_PROC}/${self}/task/${self}/children`, "utf8").trim().split(" ");
    return children.map(Number).find((child) => namespacePid(child) === pid);
  } catch {
    return undefined;
  }
}

function namespacePid(pid: number): number | undefined {
  try {
    const match = /^NSpid:.*?(\d+)$/m.exec(readFileSync(`${HOST_PROC}/${pid}/status`, "utf8"));
    return match === null ? undefined : Number(match[1]);
  } catch {
    return undefined;
  }
}
