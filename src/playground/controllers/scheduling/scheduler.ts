import { Kinds } from "#api/kinds";
import type { Node, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { claimNames } from "../volumes/pod-claims.ts";
import { isFinished } from "../workloads/pod-state.ts";
import { createPlacer } from "./place-pod.ts";

const SOURCE = "default-scheduler";

/** Binds pending pods to the ready node with the fewest pods; a pod that fits nowhere says so and waits for nodes. */
export function createScheduler(context: ControllerContext): Component {
  const { caches, client, clock, logger, indexes } = context;
  const sayUnschedulable = unschedulableTeller(context);
  // Pods bound here whose new nodeName the watch has not told yet.
  const bound = new Map<string, { readonly node: string; readonly pod: Pod }>();
  const queue = new WorkQueue({ name: "scheduler", clock, logger, reconcile: (key) => schedule(key) });

  const schedule = async (key: string) => {
    const pod = caches.pods.getByKey(key);
    if (pod === undefined || !needsNode(pod) || bound.has(identityOf(pod).uid)) return;
    const placement = await place(pod);
    if ("message" in placement) await sayUnschedulable(pod, placement.message);
    else if (placement.ready) await bind(pod, placement.node);
    else await nominate(caches, pod, placement.node);
  };

  const boundTo = (name: string): Pod[] => [...bound.values()].flatMap(({ node, pod }) => (node === name ? [pod] : []));
  const podsOn = (name: string) => [...indexes.podsByNode.get(name), ...boundTo(name)];
  const { place, forget } = createPlacer(caches, podsOn);

  const bind = async (pod: Pod, node: string) => {
    const { namespace, name, uid } = identityOf(pod);
    bound.set(uid, { node, pod });
    try {
      await client.createSubresource(
        Kinds.Pod,
        { namespace, name, subresource: "binding" },
        { apiVersion: "v1", kind: "Binding", metadata: { namespace, name, uid }, target: { kind: "Node", name: node } },
        { fieldManager: "kube-scheduler" },
      );
    } catch (thrown) {
      bound.delete(uid);
      throw thrown;
    }
    const message = `Successfully assigned ${namespace}/${name} to ${node}`;
    context.events.record(
      SOURCE,
      { type: Kinds.Pod, object: pod },
      { type: "Normal", reason: "Scheduled", message, action: "Binding" },
    );
  };

  const forNode = listenForNodes(context, queue);
  caches.pods.onChange(({ object, deleted }) => {
    if (deleted || !needsNode(object)) {
      bound.delete(identityOf(object).uid);
      forget(object);
      // What it leaves may be what others wait for.
      if (object.spec?.nodeName && (deleted || isFinished(object))) forNode.retryAll();
    } else queue.add(objectKey(object));
  });
  return controllerComponent(queue, forNode.needs);
}

/** Nodes and volumes that come or change may be what pods wait for. */
function listenForNodes({ caches, indexes }: ControllerContext, queue: WorkQueue) {
  const { pods, nodes, persistentVolumeClaims, persistentVolumes, storageClasses } = caches;
  const retry = (waits: (pod: Pod) => boolean) => {
    for (const pod of indexes.podsByNode.get("")) if (needsNode(pod) && waits(pod)) queue.add(objectKey(pod));
  };
  const retryAll = () => retry(() => true);
  nodes.onChange(({ object, old, deleted }) => {
    // Heartbeats change nothing that the scheduler looks at.
    if (!deleted && old !== undefined && schedulingView(object) === schedulingView(old)) return;
    retryAll();
  });
  persistentVolumeClaims.onChange(({ object }) => {
    const { namespace, name } = identityOf(object);
    retry((pod) => identityOf(pod).namespace === namespace && claimNames(pod).includes(name));
  });
  const retryWithClaims = () => retry((pod) => claimNames(pod).length > 0);
  persistentVolumes.onChange(retryWithClaims);
  storageClasses.onChange(retryWithClaims);
  return { retryAll, needs: [pods, nodes, persistentVolumeClaims, persistentVolumes, storageClasses] };
}

/** Tells where the pod will go once its volumes are there. */
async function nominate({ pods }: ControllerContext["caches"], pod: Pod, nominatedNodeName: string): Promise<void> {
  if (pod.status?.nominatedNodeName === nominatedNodeName) return;
  await pods.patch(pod, { status: { nominatedNodeName } }, { type: "strategic", subresource: "status" });
}

/** In the pod's condition and by an event, unless it was the last that was told. */
function unschedulableTeller({ caches, clock, events }: ControllerContext) {
  return async (pod: Pod, message: string): Promise<void> => {
    const told = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (told?.reason === "Unschedulable" && told.message === message) return;
    const text = { reason: "Unschedulable", message };
    const lastTransitionTime = kubeTime(clock.now());
    const observedGeneration = pod.metadata?.generation;
    const condition = { type: "PodScheduled", status: "False", lastTransitionTime, observedGeneration, ...text };
    await caches.pods.patch(pod, { status: { conditions: [condition] } }, { type: "strategic", subresource: "status" });
    const event = { type: "Warning", reason: "FailedScheduling", message, action: "Scheduling" } as const;
    events.record(SOURCE, { type: Kinds.Pod, object: pod }, event);
  };
}

function needsNode(pod: Pod): boolean {
  return !pod.spec?.nodeName && !isBeingDeleted(pod) && !isFinished(pod) && !pod.spec?.schedulingGates?.length;
}

function schedulingView({ metadata, spec, status }: Node): string {
  const conditions = status?.conditions?.map(({ type, status: value }) => [type, value]);
  return JSON.stringify([metadata?.labels, metadata?.deletionTimestamp, spec, status?.allocatable, conditions]);
}
