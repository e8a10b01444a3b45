// From a container's requests and limits to the numbers that control groups take: pure.
import type { Container } from "#api/kubernetes/gen/types";
import { parseQuantity } from "../container/quantity.ts";
import type { Hierarchy } from "./cgroup-hierarchies.ts";

export interface ResourceLimits {
  /** Bytes. */
  readonly memory?: number;
  /** Share of one CPU's time, 1 is a whole CPU. */
  readonly cpu?: number;
  /** Requested CPUs: the weight against other containers. */
  readonly cpuRequest?: number;
  readonly pids?: number;
}

/** A container may not fill the machine's table of processes. */
const MOST_PROCESSES = 8192;
const PERIOD_US = 100_000;
/** The kernel refuses less. */
const LEAST_QUOTA_US = 1000;
const LEAST_SHARES = 2;
const MOST_SHARES = 262_144;

/** Undefined for a container that names neither CPU nor memory. */
export function resourceLimits({ resources }: Pick<Container, "resources">): ResourceLimits | undefined {
  const { limits = {}, requests = {} } = resources ?? {};
  const memory = positive(limits.memory);
  const cpu = positive(limits.cpu);
  const cpuRequest = positive(requests.cpu) ?? cpu;
  if (memory === undefined && cpu === undefined && cpuRequest === undefined) return undefined;
  return {
    pids: MOST_PROCESSES,
    ...(memory === undefined ? {} : { memory: Math.floor(memory) }),
    ...(cpu === undefined ? {} : { cpu }),
    ...(cpuRequest === undefined ? {} : { cpuRequest }),
  };
}

/** File name below the group -> content, in the order in which the kernel wants them. */
export function cgroupFiles(
  { version, controllers }: Pick<Hierarchy, "version" | "controllers">,
  limits: ResourceLimits,
) {
  const files: [string, string][] = [];
  if (controllers.has("memory") && limits.memory !== undefined) files.push(...memoryFiles(version, limits.memory));
  if (controllers.has("cpu")) files.push(...cpuFiles(version, limits));
  if (controllers.has("pids") && limits.pids !== undefined) files.push(["pids.max", String(limits.pids)]);
  return files;
}

function memoryFiles(version: 1 | 2, bytes: number): [string, string][] {
  if (version === 1) return [["memory.limit_in_bytes", String(bytes)]];
  // As kubelets ask: one process of a container out of memory ends the container.
  return [
    ["memory.max", String(bytes)],
    ["memory.oom.group", "1"],
  ];
}

function cpuFiles(version: 1 | 2, { cpu, cpuRequest }: ResourceLimits): [string, string][] {
  const files: [string, string][] = [];
  if (cpuRequest !== undefined) {
    const shares = Math.min(MOST_SHARES, Math.max(LEAST_SHARES, Math.floor(cpuRequest * 1024)));
    files.push(version === 1 ? ["cpu.shares", String(shares)] : ["cpu.weight", String(cpuWeight(shares))]);
  }
  if (cpu === undefined) return files;
  const quota = Math.max(LEAST_QUOTA_US, Math.round(cpu * PERIOD_US));
  if (version === 2) return [...files, ["cpu.max", `${quota} ${PERIOD_US}`]];
  return [...files, ["cpu.cfs_period_us", String(PERIOD_US)], ["cpu.cfs_quota_us", String(quota)]];
}

/** Shares of version 1 on the scale of version 2, as the OCI runtimes convert them. */
function cpuWeight(shares: number): number {
  return Math.floor(1 + ((shares - LEAST_SHARES) * 9999) / (MOST_SHARES - LEAST_SHARES));
}

function positive(quantity: string | number | undefined): number | undefined {
  const value = quantity === undefined ? 0 : parseQuantity(quantity);
  return value > 0 ? value : undefined;
}
