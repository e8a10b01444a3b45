import { Kinds } from "#api/kinds";
import type { Node, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { claimNames } from "../volumes/pod-claims.ts";
import { isFinished } from "../workloads/pod-state.ts";
import { bindPodVolumes } from "./bind-pod-volumes.ts";
import { chooseNode } from "./choose-node.ts";
import { claimsFor, planFor, type StorageView } from "./pod-volumes.ts";

const SOURCE = "default-scheduler";
const OTHER_NODE = "node(s) didn't find available persistent volumes to bind";

/** Binds pending pods to the ready node with the fewest pods; a pod that fits nowhere says so and waits for nodes. */
export function createScheduler(context: ControllerContext): Component {
  const { caches, client, clock, logger, indexes } = context;
  // Pods bound here whose new nodeName the watch has not told yet.
  const bound = new Map<string, { readonly node: string; readonly pod: Pod }>();
  // Pods whose volumes are being made for a node, by uid.
  const promised = new Map<string, string>();
  const storage: StorageView = {
    claim: (namespace, name) => caches.persistentVolumeClaims.get(namespace, name),
    volume: (name) => caches.persistentVolumes.get("", name),
    volumes: () => [...caches.persistentVolumes.all()],
    storageClass: (name) => caches.storageClasses.get("", name),
  };
  const queue = new WorkQueue({ name: "scheduler", clock, logger, reconcile: (key) => schedule(key) });

  const schedule = async (key: string) => {
    const pod = caches.pods.getByKey(key);
    if (pod === undefined || !needsNode(pod) || bound.has(identityOf(pod).uid)) return;
    const nodes = [...caches.nodes.all()];
    const found = claimsFor(pod, storage);
    if ("why" in found) {
      return sayUnschedulable(pod, `0/${nodes.length} nodes are available: ${found.why}. not found`);
    }
    const plans = new Map(nodes.map((node) => [identityOf(node).name, planFor(found.claims, node, storage)]));
    const podsOn = (name: string) => [...indexes.podsByNode.get(name), ...boundTo(name)];
    const choice = chooseNode(pod, nodes, podsOn, (node) => {
      const name = identityOf(node).name;
      const plan = plans.get(name);
      // Its volumes are on their way to the node that was chosen for it.
      if (promised.has(identityOf(pod).uid) && promised.get(identityOf(pod).uid) !== name) return OTHER_NODE;
      return plan !== undefined && "why" in plan ? plan.why : undefined;
    });
    if ("message" in choice) {
      promised.delete(identityOf(pod).uid);
      return sayUnschedulable(pod, choice.message);
    }
    const plan = plans.get(choice.node);
    if (plan === undefined || "why" in plan) return;
    if (await bindPodVolumes(caches, plan, choice.node)) return bind(pod, choice.node);
    // The claims tell when they are bound.
    promised.set(identityOf(pod).uid, choice.node);
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
      promised.delete(identityOf(object).uid);
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
  const retryWithClaims = () => {
    for (const pod of indexes.podsByNode.get("")) if (claimNames(pod).length > 0) queue.add(objectKey(pod));
  };
  caches.persistentVolumes.onChange(retryWithClaims);
  caches.storageClasses.onChange(retryWithClaims);
  const { persistentVolumeClaims, persistentVolumes, storageClasses } = caches;
  return controllerComponent(queue, [
    caches.pods,
    caches.nodes,
    persistentVolumeClaims,
    persistentVolumes,
    storageClasses,
  ]);
}

function needsNode(pod: Pod): boolean {
  return !pod.spec?.nodeName && !isBeingDeleted(pod) && !isFinished(pod) && !pod.spec?.schedulingGates?.length;
}

function schedulingView({ metadata, spec, status }: Node): string {
  const conditions = status?.conditions?.map(({ type, status: value }) => [type, value]);
  return JSON.stringify([metadata?.labels, metadata?.deletionTimestamp, spec, status?.allocatable, conditions]);
}
