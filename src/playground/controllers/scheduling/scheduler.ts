import { Kinds } from "#api/kinds";
import type { Node, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { claimNames } from "../cluster/claims-controller.ts";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { isFinished } from "../workloads/pod-state.ts";
import { chooseNode } from "./choose-node.ts";

const SOURCE = "default-scheduler";

/** Binds pending pods to the ready node with the fewest pods; a pod that fits nowhere says so and waits for nodes. */
export function createScheduler(context: ControllerContext): Component {
  const { caches, client, clock, logger, indexes } = context;
  // Pods bound here whose new nodeName the watch has not told yet.
  const bound = new Map<string, { readonly node: string; readonly pod: Pod }>();
  const queue = new WorkQueue({ name: "scheduler", clock, logger, reconcile: (key) => schedule(key) });

  const schedule = async (key: string) => {
    const pod = caches.pods.getByKey(key);
    if (pod === undefined || !needsNode(pod) || bound.has(identityOf(pod).uid)) return;
    const unbound = unboundClaims(context, pod);
    if (unbound !== undefined) {
      const nodes = [...caches.nodes.all()].length;
      return sayUnschedulable(pod, `0/${nodes} nodes are available: ${unbound}. not found`);
    }
    const nodes = [...caches.nodes.all()];
    const podsOn = (name: string) => [...indexes.podsByNode.get(name), ...boundTo(name)];
    const choice = chooseNode(pod, nodes, podsOn);
    if ("node" in choice) await bind(pod, choice.node);
    else await sayUnschedulable(pod, choice.message);
  };

  const boundTo = (name: string): Pod[] => [...bound.values()].flatMap(({ node, pod }) => (node === name ? [pod] : []));

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

  const sayUnschedulable = async (pod: Pod, message: string) => {
    const told = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
    if (told?.reason === "Unschedulable" && told.message === message) return;
    const text = { reason: "Unschedulable", message };
    const lastTransitionTime = kubeTime(clock.now());
    const observedGeneration = pod.metadata?.generation;
    const condition = { type: "PodScheduled", status: "False", lastTransitionTime, observedGeneration, ...text };
    await caches.pods.patch(pod, { status: { conditions: [condition] } }, { type: "strategic", subresource: "status" });
    const event = { type: "Warning", reason: "FailedScheduling", message, action: "Scheduling" } as const;
    context.events.record(SOURCE, { type: Kinds.Pod, object: pod }, event);
  };

  const retryAll = () => {
    for (const pod of indexes.podsByNode.get("")) if (needsNode(pod)) queue.add(objectKey(pod));
  };
  caches.pods.onChange(({ object, deleted }) => {
    if (deleted || !needsNode(object)) {
      bound.delete(identityOf(object).uid);
      // What it leaves may be what others wait for.
      if (object.spec?.nodeName && (deleted || isFinished(object))) retryAll();
    } else queue.add(objectKey(object));
  });
  caches.nodes.onChange(({ object, old, deleted }) => {
    // Heartbeats change nothing that the scheduler looks at.
    if (!deleted && old !== undefined && schedulingView(object) === schedulingView(old)) return;
    retryAll();
  });
  caches.persistentVolumeClaims.onChange(({ object }) => {
    const { namespace, name } = identityOf(object);
    for (const pod of indexes.podsByNode.get("")) {
      if (identityOf(pod).namespace === namespace && claimNames(pod).includes(name)) queue.add(objectKey(pod));
    }
  });
  return controllerComponent(queue, [caches.pods, caches.nodes, caches.persistentVolumeClaims]);
}

/** Why the pod waits for a claim: one without a volume stays so, for nobody makes volumes here. */
function unboundClaims({ caches }: ControllerContext, pod: Pod): string | undefined {
  const { namespace } = identityOf(pod);
  for (const name of claimNames(pod)) {
    const claim = caches.persistentVolumeClaims.get(namespace, name);
    if (claim === undefined) return `persistentvolumeclaim "${name}" not found`;
    if (claim.status?.phase !== "Bound") return "pod has unbound immediate PersistentVolumeClaims";
  }
  return undefined;
}

function needsNode(pod: Pod): boolean {
  return !pod.spec?.nodeName && !isBeingDeleted(pod) && !isFinished(pod) && !pod.spec?.schedulingGates?.length;
}

function schedulingView({ metadata, spec, status }: Node): string {
  const conditions = status?.conditions?.map(({ type, status: value }) => [type, value]);
  return JSON.stringify([metadata?.labels, metadata?.deletionTimestamp, spec, status?.allocatable, conditions]);
}
