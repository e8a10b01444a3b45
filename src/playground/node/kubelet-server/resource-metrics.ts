// /metrics/resource: what containers use now, in the names of the kubelet's own metrics, read from /proc.
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { PodManager } from "../pod/pod-manager.ts";

interface Usage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** Clock ticks of /proc/PID/stat: Linux tells user space a hundred a second on every architecture. */
const TICKS_A_SECOND = 100;
const PAGE_BYTES = 4096;

/** In Prometheus' text format. `now` is milliseconds since the epoch. */
export function resourceMetrics(manager: PodManager, now: number): string {
  const usages = usageByNamespace();
  const cpu: string[] = [];
  const memory: string[] = [];
  for (const { metadata, spec } of manager.pods()) {
    const { namespace = "default", name: pod = "" } = metadata ?? {};
    for (const { name } of spec?.containers ?? []) {
      const pid = manager.find(namespace, pod)?.container(name)?.process?.pid;
      const usage = usages.get(pidNamespace(pid ?? 0) ?? "");
      if (usage === undefined) continue;
      const labels = `{container="${name}",namespace="${namespace}",pod="${pod}"}`;
      cpu.push(`container_cpu_usage_seconds_total${labels} ${usage.cpuSeconds} ${now}`);
      memory.push(`container_memory_working_set_bytes${labels} ${usage.memoryBytes} ${now}`);
    }
  }
  return [
    "# HELP container_cpu_usage_seconds_total Cumulative cpu time consumed by the container in core-seconds",
    "# TYPE container_cpu_usage_seconds_total counter",
    ...cpu,
    "# HELP container_memory_working_set_bytes Current working set of the container in bytes",
    "# TYPE container_memory_working_set_bytes gauge",
    ...memory,
    "# HELP scrape_error 1 if there was an error while getting container metrics, 0 otherwise",
    "# TYPE scrape_error gauge",
    "scrape_error 0",
    "",
  ].join("\n");
}

/** Containers have a pid namespace each: its processes together are the container. */
function usageByNamespace(): Map<string, Usage> {
  const usages = new Map<string, Usage>();
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    const key = Number.isInteger(pid) ? pidNamespace(pid) : undefined;
    const own = key === undefined ? undefined : usageOf(pid);
    if (key === undefined || own === undefined) continue;
    const { cpuSeconds = 0, memoryBytes = 0 } = usages.get(key) ?? {};
    usages.set(key, { cpuSeconds: cpuSeconds + own.cpuSeconds, memoryBytes: memoryBytes + own.memoryBytes });
  }
  return usages;
}

function usageOf(pid: number): Usage | undefined {
  const text = readText(`/proc/${pid}/stat`);
  // The second field is the program's name, which may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number);
  if (user === undefined || system === undefined || pages === undefined || Number.isNaN(pages)) return undefined;
  return { cpuSeconds: (user + system) / TICKS_A_SECOND, memoryBytes: pages * PAGE_BYTES };
}

function pidNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
