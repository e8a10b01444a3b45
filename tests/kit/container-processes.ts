// The containers of a playground, as its API server tells of them and as this machine sees their processes, to be killed.
import { execFileSync } from "node:child_process";
import { until } from "#base/until";
import { childNamed, firstOfCgroup, processOnNode } from "./host-processes.ts";
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
  /** As the node names it, its runtime first; undefined when it does not run. */
  readonly containerID: string | undefined;
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
    containerID: status.state?.running === undefined ? undefined : status.containerID,
  };
}

/** Kills the container's first process, or its Envoy, with SIGKILL. Resolves with how the container was before. */
export async function killInContainer(
  playground: TestPlayground,
  place: ContainerPlace,
  program: "first process" | "envoy",
): Promise<ContainerView> {
  const { view, first } = await findRunning(playground, place);
  const pid = program === "envoy" ? childNamed(first, "envoy") : first;
  process.kill(pid, "SIGKILL");
  return view;
}

/**
 * Puts an empty folder, which anyone may write to, over one of the container's: the node may renew what lies below as often
 * as it likes. Returns the way back.
 */
export async function coverFolder(
  playground: TestPlayground,
  place: ContainerPlace,
  folder: string,
): Promise<() => void> {
  const { first } = await findRunning(playground, place);
  const target = ["-N", String(first)];
  execFileSync("mount", [...target, "-t", "tmpfs", "-o", "mode=0777", "cover", folder]);
  return () => execFileSync("umount", [...target, folder]);
}

async function findRunning(
  playground: TestPlayground,
  place: ContainerPlace,
): Promise<{ view: ContainerView; first: number }> {
  const view = await viewContainer(playground, place);
  if (view?.containerID === undefined) throw new Error(`${place.selector} in ${place.context} does not run`);
  return { view, first: firstProcess(playground, place.context, view.containerID) };
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

/** Our node's ids begin with a number, a real node's name a cgroup; either way it is one of the playground's processes. */
function firstProcess({ status }: TestPlayground, context: string, containerID: string): number {
  const [runtime, id = ""] = containerID.split("://");
  if (runtime !== "isthmus") return firstOfCgroup(id, status.guard?.pid ?? 0);
  const node = status.clusters.find((cluster) => cluster.context === context)?.pids.node ?? 0;
  return processOnNode(Number.parseInt(id, 10), node);
}
