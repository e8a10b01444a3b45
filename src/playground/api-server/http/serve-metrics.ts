// /metrics: what a monitoring system scrapes from an API server.
import { readdirSync, readFileSync } from "node:fs";
import type { FlowClassifier } from "../flow-control/flow-classifier.ts";
import { KUBERNETES_RELEASE } from "../gen/definitions.ts";
import type { Registry } from "../registry.ts";
import { storageKey } from "../resource-kind.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { labelText, metric, type RequestMetrics } from "./request-metrics.ts";

export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

export interface MetricsSources {
  readonly registry: Registry;
  readonly store: ObjectStore;
  readonly requests: RequestMetrics;
  readonly flows: FlowClassifier;
}

/** The exposition format of Prometheus. */
export function renderMetrics({ registry, store, requests, flows }: MetricsSources): string {
  return `${[...requests.render(), ...flowLines(flows), ...objectLines(registry, store), ...availability(store), ...buildLines(), ...processLines()].join("\n")}\n`;
}

/** Health checks as objectives see them: each check's state, and how often it was so. */
export function renderChecks(checks: readonly { readonly type: string; readonly name: string }[]): string {
  const labelled = checks.map(({ type, name }) => labelText({ name, type }));
  return `${[
    ...metric("kubernetes_healthcheck", "gauge", "Whether a health check succeeds."),
    ...labelled.map((labels) => `kubernetes_healthcheck{${labels}} 1`),
    ...metric("kubernetes_healthchecks_total", "counter", "Results of health checks."),
    ...labelled.map((labels) => `kubernetes_healthchecks_total{${labels},status="success"} 1`),
  ].join("\n")}\n`;
}

function flowLines(flows: FlowClassifier): string[] {
  const name = "apiserver_flowcontrol_dispatched_requests_total";
  return [
    ...metric(name, "counter", "Requests by flow schema and priority level."),
    ...flows
      .counts()
      .map(
        ({ schemaName, levelName, count }) =>
          `${name}{${labelText({ flow_schema: schemaName, priority_level: levelName })}} ${count}`,
      ),
  ];
}

function objectLines(registry: Registry, store: ObjectStore): string[] {
  const counted = new Map<string, number>();
  const byGroup = new Map<string, number>();
  for (const kind of registry.kinds()) {
    if (!kind.stored) continue;
    const { group } = kind.storedAs;
    const count = store.stored(storageKey(kind)).length;
    counted.set(labelText({ resource: group === "" ? kind.plural : `${kind.plural}.${group}` }), count);
    byGroup.set(labelText({ group, resource: kind.plural }), count);
  }
  const lines = (name: string, counts: ReadonlyMap<string, number>) =>
    [...counts].map(([labels, count]) => `${name}{${labels}} ${count}`);
  return [
    ...metric("apiserver_resource_objects", "gauge", "Objects that are kept, by group and resource."),
    ...lines("apiserver_resource_objects", byGroup),
    ...metric("apiserver_storage_objects", "gauge", "Objects that are kept, by resource."),
    ...lines("apiserver_storage_objects", counted),
  ];
}

/** Every API here is the server's own: always there. */
function availability(store: ObjectStore): string[] {
  const names = store.stored("apiregistration.k8s.io/apiservices").map(({ name }) => name);
  return [
    ...metric("aggregator_unavailable_apiservice", "gauge", "Whether an APIService cannot be reached."),
    ...names.map((name) => `aggregator_unavailable_apiservice{${labelText({ name })}} 0`),
  ];
}

function buildLines(): string[] {
  const [major = "", minor = ""] = KUBERNETES_RELEASE.split(".");
  const labels = { major, minor, git_version: `v${KUBERNETES_RELEASE}+isthmus`, compiler: "node" };
  return [
    ...metric("kubernetes_build_info", "gauge", "The release whose API is served."),
    `kubernetes_build_info{${labelText({ ...labels, platform: `${process.platform}/${process.arch}` })}} 1`,
  ];
}

function processLines(): string[] {
  const { user, system } = process.cpuUsage();
  const memory = process.memoryUsage();
  const gauge = (name: string, help: string, value: number) => [...metric(name, "gauge", help), `${name} ${value}`];
  return [
    ...metric("process_cpu_seconds_total", "counter", "Time on a processor, in seconds."),
    `process_cpu_seconds_total ${(user + system) / 1e6}`,
    ...gauge("process_resident_memory_bytes", "Memory in use.", memory.rss),
    ...gauge("process_heap_bytes", "Memory of the heap in use.", memory.heapUsed),
    ...gauge("process_start_time_seconds", "When the process began, since 1970.", performance.timeOrigin / 1000),
    ...openFiles().flatMap((count) => gauge("process_open_fds", "Files and connections that are open.", count)),
    ...fromSystem("status", /^VmSize:\s+(\d+) kB$/m).flatMap((kilobytes) =>
      gauge("process_virtual_memory_bytes", "Addresses in use.", kilobytes * 1024),
    ),
    ...fromSystem("limits", /^Max open files\s+(\d+)/m).flatMap((most) =>
      gauge("process_max_fds", "Files and connections that may be open.", most),
    ),
  ];
}

/** A number in a file of this process; empty where the system does not tell. */
function fromSystem(file: string, pattern: RegExp): number[] {
  try {
    const found = pattern.exec(readFileSync(`/proc/self/${file}`, "utf8"))?.[1];
    return found === undefined ? [] : [Number(found)];
  } catch {
    return [];
  }
}

/** Only Linux tells. */
function openFiles(): number[] {
  try {
    return [readdirSync("/proc/self/fd").length];
  } catch {
    return [];
  }
}
