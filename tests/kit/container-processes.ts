// The processes of a playground's containers, as this machine sees them, to be killed: the node tells the first one in
// the container's id, its children stand in /proc. Nothing that is not below the playground's own node is ever touched.
import { readdirSync, readFileSync } from "node:fs";
import { until } from "#base/until";
import type { TestPlayground } from "./playground.ts";

export interface ContainerPlace {
  readonly context: string;
  readonly namespace: string;
  /** Selects one pod. */
  readonly selector: string;
  readonly container: string;
}

export interface ContainerView {
  readonly pod: string;
  readonly podIP: string;
  readonly ready: boolean;
  readonly restartCount: number;
  /** The first process of the container; 0 when it does not run. */
  readonly pid: number;
  /** How the start before this one ended; undefined when this is the first. */
  readonly lastExitCode: number | undefined;
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status: {
      readonly podIP?: string;
      readonly conditions?: readonly { readonly type: string; readonly status: string }[];
      readonly containerStatuses?: readonly {
        readonly name: string;
        readonly restartCount: number;
        readonly containerID?: string;
        readonly state?: { readonly running?: unknown };
        readonly lastState?: { readonly terminated?: { readonly exitCode: number } };
      }[];
    };
  }[];
}

/** The container of the one pod that is there and not going; undefined while there is none. */
export async function viewContainer(
  playground: TestPlayground,
  place: ContainerPlace,
): Promise<ContainerView | undefined> {
  const { context, namespace, selector, container } = place;
  const args = ["get", "pods", "--context", context, "-n", namespace, "-l", selector, "-o", "json"];
  const { items }: PodList = JSON.parse(await playground.ok("kubectl", args));
  const pod = items.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  const status = pod?.status.containerStatuses?.find(({ name }) => name === container);
  if (pod === undefined || status === undefined) return undefined;
  return {
    pod: pod.metadata.name,
    podIP: pod.status.podIP ?? "",
    ready: pod.status.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false,
    restartCount: status.restartCount,
    lastExitCode: status.lastState?.terminated?.exitCode,
    pid:
      status.state?.running === undefined ? 0 : Number(/^isthmus:\/\/(\d+)-/.exec(status.containerID ?? "")?.[1] ?? 0),
  };
}

/** Kills the container's first process, or its Envoy, with SIGKILL. Resolves with how the container was before. */
export async function killInContainer(
  playground: TestPlayground,
  place: ContainerPlace,
  program: "first process" | "envoy",
): Promise<ContainerView> {
  const before = await viewContainer(playground, place);
  if (before === undefined || before.pid === 0) throw new Error(`${place.selector} in ${place.context} does not run`);
  const node = playground.status.clusters.find(({ context }) => context === place.context)?.pids.node ?? 0;
  const first = hostPid(before.pid, node);
  const pid = program === "envoy" ? childNamed(first, "envoy") : first;
  process.kill(pid, "SIGKILL");
  return before;
}

/** Waits until the container was started again after `before` and its pod is ready. */
export async function restarted(
  playground: TestPlayground,
  place: ContainerPlace,
  before: ContainerView,
): Promise<void> {
  await until(
    async () => {
      const now = await viewContainer(playground, place);
      return now?.pod === before.pod && now.restartCount > before.restartCount && now.ready;
    },
    { reason: `${place.container} of ${before.pod} runs again and is ready`, timeoutMs: 60_000, intervalMs: 200 },
  );
}

function childNamed(parent: number, name: string): number {
  const child = allPids().find((pid) => statOf(pid)?.parent === parent && statOf(pid)?.name === name);
  if (child === undefined) throw new Error(`process ${parent} has no child ${name}`);
  return child;
}

/** The node may live in a pid namespace of its own: of the processes below it, the one it knows under that number. */
function hostPid(pidOnNode: number, node: number): number {
  const level = pidsByNamespace(node).length - 1;
  const pid = allPids().find((each) => pidsByNamespace(each)[level] === pidOnNode && isBelow(each, node));
  if (level < 0 || pid === undefined) throw new Error(`process ${pidOnNode} is not one of node process ${node}`);
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
