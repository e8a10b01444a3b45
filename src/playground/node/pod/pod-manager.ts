// Which pods run here: follows the pods bound to this node and keeps one worker for each.
import { Kinds } from "#api/kinds";
import type { Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import { startInformer } from "#kube/informer";
import type { KubeClient } from "#kube/kube-client";
import { qosClass } from "../status/pod-status.ts";
import { whyNotAdmitted } from "./pod-admission.ts";
import type { PodContext } from "./pod-context.ts";
import { PodWorker } from "./pod-worker.ts";
import { unenforcedEvents } from "./unenforced.ts";

/** When the node stops, what its pods get to end by themselves. */
const SHUTDOWN_GRACE_SECONDS = 0.4;

export interface PodManager {
  /** The worker of a pod on this node. */
  find(namespace: string, name: string): PodWorker | undefined;
  pods(): Pod[];
  /** A pod bound to this node was seen, came in a new version, or is gone from the API server. */
  changed(type: "ADDED" | "MODIFIED" | "DELETED", pod: Pod): void;
  /** Ends all pods on this machine; their objects stay. */
  stopAll(): Promise<void>;
}

export function createPodManager(context: PodContext): PodManager {
  const workers = new Map<string, PodWorker>();
  const ending = new Map<string, Promise<void>>();
  let stopping = false;
  const { logger } = context;

  const end = (uid: string, worker: PodWorker, graceSeconds: number | undefined, remove: boolean) => {
    const ended = worker
      .terminate(graceSeconds)
      .then(() => worker.flush())
      .then(() => (remove ? context.api.removePod(worker.pod) : undefined))
      .catch((thrown: unknown) => logger.error({ pod: worker.key, error: errorMessage(thrown) }, "pod not removed"))
      .finally(() => {
        workers.delete(uid);
        ending.delete(uid);
        // What it leaves may be what another waits for.
        for (const other of workers.values()) other.resize();
      });
    ending.set(uid, ended);
  };

  const begin = (uid: string, pod: Pod) => {
    if (refuse(pod, [...workers.values()], context)) return;
    logger.info({ pod: objectKey(pod) }, "starting pod");
    const worker: PodWorker = new PodWorker(pod, context, () => livingPods(workers.values(), worker));
    workers.set(uid, worker);
    tellUnenforced(pod, context);
    worker.start();
  };

  return {
    find: (namespace, name) => [...workers.values()].findLast(({ key }) => key === `${namespace}/${name}`),
    pods: () => [...workers.values()].map(({ pod }) => pod),
    changed(type, pod) {
      const uid = pod.metadata?.uid ?? objectKey(pod);
      if (stopping) return;
      const worker = workers.get(uid);
      if (type === "DELETED") {
        // Removed by force: what runs has no object any more, so it ends at once.
        if (worker) end(uid, worker, 0, false);
        return;
      }
      const deleted = pod.metadata?.deletionTimestamp !== undefined;
      if (worker) {
        worker.update(pod);
        const shorter = pod.metadata?.deletionGracePeriodSeconds === 0;
        if (deleted && (!ending.has(uid) || shorter)) end(uid, worker, undefined, true);
        return;
      }
      if (deleted) {
        void context.api
          .removePod(pod)
          .catch((thrown: unknown) =>
            logger.error({ pod: objectKey(pod), error: errorMessage(thrown) }, "pod not removed"),
          );
        return;
      }
      if (pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed") begin(uid, pod);
    },
    async stopAll() {
      stopping = true;
      const all = [...workers.values()];
      await Promise.all(all.map((worker) => worker.terminate(SHUTDOWN_GRACE_SECONDS)));
    },
  };
}

/** Pods that hold resources of the node, `except` for one. */
function livingPods(workers: Iterable<PodWorker>, except?: PodWorker): Pod[] {
  return [...workers].filter((worker) => worker !== except && !worker.over).map(({ pod }) => pod);
}

function tellUnenforced(pod: Pod, { api }: PodContext): void {
  for (const event of unenforcedEvents(pod)) api.recordEvent(pod, event);
}

/** True for a pod that this node cannot take; its status says why. */
function refuse(pod: Pod, workers: readonly PodWorker[], context: PodContext): boolean {
  // Its containers ran here before: what it needs was weighed then.
  if (pod.status?.startTime !== undefined) return false;
  const { allocatable, labels, api, logger } = context;
  const others = livingPods(workers);
  const refusal = whyNotAdmitted(pod, { allocatable, labels, others });
  if (refusal === undefined) return false;
  const { reason, message } = refusal;
  logger.info({ pod: objectKey(pod), reason }, "pod refused");
  api.recordEvent(pod, { type: "Warning", reason, message });
  const status = { phase: "Failed", reason, message: `Pod was rejected: ${message}`, qosClass: qosClass(pod) };
  api.patchPodStatus(pod, status).catch((thrown: unknown) => {
    logger.error({ pod: objectKey(pod), error: errorMessage(thrown) }, "refusal not told");
  });
  return true;
}

/** Feeds the manager from the API server. Resolves when the first list of pods was seen. */
export function followPods(
  manager: PodManager,
  on: { client: KubeClient; nodeName: string; logger: Logger; signal: AbortSignal },
): Promise<void> {
  const informer = startInformer<Pod>({
    client: on.client,
    type: Kinds.Pod,
    fieldSelector: `spec.nodeName=${on.nodeName}`,
    logger: on.logger,
    signal: on.signal,
    onChange: ({ type, object, old }) => {
      const replaced = old && old.metadata?.uid !== object.metadata?.uid;
      if (replaced) manager.changed("DELETED", old);
      manager.changed(replaced ? "ADDED" : type, object);
    },
  });
  return informer.synced;
}
