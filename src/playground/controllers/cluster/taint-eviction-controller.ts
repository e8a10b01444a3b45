// Pods leave a node whose NoExecute taints they do not tolerate, or tolerate for a while only. One timer a pod.
import { Kinds } from "#api/kinds";
import type { Node, Pod, Taint } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { tolerates } from "../scheduling/node-fit.ts";

const SOURCE = "taint-eviction-controller";

export function createTaintEvictionController(context: ControllerContext): Component {
  const { caches, indexes, events, clock, logger } = context;

  const reconcile = async (key: string) => {
    const pod = caches.pods.getByKey(key);
    if (pod === undefined || isBeingDeleted(pod) || !pod.spec?.nodeName) return;
    const node = caches.nodes.get("", pod.spec.nodeName);
    const leavesAt = node === undefined ? undefined : evictionTime(pod, noExecuteTaints(node), clock.now());
    if (leavesAt === undefined) return;
    const wait = leavesAt - clock.now();
    if (wait > 0) return queue.addAfter(key, wait);
    const message = `Marking for deletion Pod ${key}`;
    const about = { type: Kinds.Pod, object: pod };
    events.record(SOURCE, about, { type: "Normal", reason: "TaintManagerEviction", message });
    await evict(pod);
  };

  const evict = async (pod: Pod) => {
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      reason: "DeletionByTaintManager",
      message: "Taint manager: deleting due to NoExecute taint",
      lastTransitionTime: kubeTime(clock.now()),
      observedGeneration: pod.metadata?.generation,
    };
    await caches.pods.patch(pod, { status: { conditions: [condition] } }, { type: "strategic", subresource: "status" });
    await caches.pods.delete(pod);
  };

  const queue = new WorkQueue({ name: "taint-eviction", clock, logger, reconcile });
  caches.nodes.onChange(({ object, old, deleted }) => {
    const before = old === undefined ? "[]" : JSON.stringify(noExecuteTaints(old));
    if (deleted || JSON.stringify(noExecuteTaints(object)) === before) return;
    for (const pod of indexes.podsByNode.get(identityOf(object).name)) queue.add(objectKey(pod));
  });
  caches.pods.onChange(({ object, old, deleted }) => {
    if (deleted || !object.spec?.nodeName || old?.spec?.nodeName === object.spec.nodeName) return;
    const node = caches.nodes.get("", object.spec.nodeName);
    if (node !== undefined && noExecuteTaints(node).length > 0) queue.add(objectKey(object));
  });
  return controllerComponent(queue, [caches.pods, caches.nodes]);
}

function noExecuteTaints({ spec }: Node): Taint[] {
  return (spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");
}

/** When the pod has to go, in milliseconds since the epoch; undefined: never. */
export function evictionTime(pod: Pod, taints: readonly Taint[], now: number): number | undefined {
  if (taints.length === 0) return undefined;
  const used = taints.map((taint) =>
    (pod.spec?.tolerations ?? []).filter((toleration) => tolerates(toleration, taint)),
  );
  if (used.some((tolerations) => tolerations.length === 0)) return now;
  const seconds = used
    .flat()
    .flatMap(({ tolerationSeconds }) => (tolerationSeconds === undefined ? [] : [tolerationSeconds]));
  if (seconds.length === 0) return undefined;
  const since = Math.min(...taints.map(({ timeAdded = "" }) => Date.parse(timeAdded) || now));
  return since + Math.max(0, Math.min(...seconds)) * 1000;
}
