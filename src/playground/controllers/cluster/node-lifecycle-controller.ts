// A node lives as long as its Lease in kube-node-lease is renewed. One timer a node, set to the moment it would be late.

import { Kinds } from "#api/kinds";
import type { Node, NodeCondition, Pod } from "#api/kubernetes/gen/types";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { annotationsOf, identityOf, isBeingDeleted, kubeTime, labelsOf } from "../objects/object-meta.ts";
import { readyCondition } from "../workloads/pod-state.ts";
import { taintsFor } from "./node-taints.ts";

const SOURCE = "node-controller";
const LEASE_NAMESPACE = "kube-node-lease";
const GRACE_MS = 40_000;
/** A look that comes so much too late was ours to miss: this program stood still, and the renewals wait unread. */
const OVERSLEPT_MS = 5_000;
/** How long a kubelet of this cluster may rely on what it has read, in seconds: as ever in a small cluster. */
const TTL = "node.alpha.kubernetes.io/ttl";
const REPORTED = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/**
 * Says Unknown of a node that was silent for the time of grace; keeps its taints in step with its conditions; says
 * Ready=False of the pods of a silent node; removes the pods of a node that is deleted.
 */
export function createNodeLifecycleController(context: ControllerContext, graceMs = GRACE_MS): Component {
  const { caches, clock, logger, indexes } = context;
  const write = createNodeWriter(context);
  // When we learned of a node's last sign of life, by our own clock: the node's may differ.
  const heard = new Map<string, number>();
  const registered = new Set<string>();

  const reconcile = async (name: string) => {
    // Its lease may be seen before the node: only the API server's own word makes its pods go.
    const node = caches.nodes.get("", name) ?? (await caches.nodes.fetch("", name));
    if (node === undefined) {
      registered.delete(name);
      await Promise.all(indexes.podsByNode.get(name).map(write.removeOrphan));
      return;
    }
    if (!registered.has(name))
      write.tell(node, "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
    registered.add(name);
    const current = await watchOver(node, name);
    await write.attend(current);
    // A node that says itself that it is not ready speaks for its pods too.
    if (readyStatus(current) === "Unknown") {
      await Promise.all(indexes.podsByNode.get(name).map(write.markNotReady));
    }
  };

  const watchOver = async (node: Node, name: string): Promise<Node> => {
    const since = heard.get(name) ?? clock.now();
    heard.set(name, since);
    const lateMs = clock.now() - since - graceMs;
    if (lateMs < 0) queue.addAfter(name, -lateMs);
    else if (readyStatus(node) !== "Unknown" && lateMs > OVERSLEPT_MS) {
      heard.set(name, clock.now());
      queue.addAfter(name, graceMs);
    } else if (readyStatus(node) !== "Unknown") {
      logger.warn({ node: name }, "node does not renew its lease");
      return write.markUnknown(node);
    }
    return node;
  };

  const queue = new WorkQueue({ name: "node-lifecycle", clock, logger, reconcile });
  caches.nodes.onChange(({ object, old, deleted }) => {
    const { name } = identityOf(object);
    if (deleted) heard.delete(name);
    // Any word of the node itself that it is well is a sign of life; ours above says Unknown.
    else if (old !== undefined && readyStatus(object) !== "Unknown" && !isBeingDeleted(object)) {
      heard.set(name, clock.now());
    }
    if (deleted || old === undefined || viewOf(object) !== viewOf(old)) queue.add(name);
  });
  caches.leases.onChange(({ object, deleted }) => {
    const { namespace, name } = identityOf(object);
    if (namespace !== LEASE_NAMESPACE || deleted) return;
    const silent = clock.now() - (heard.get(name) ?? 0) >= graceMs;
    heard.set(name, clock.now());
    if (silent) queue.add(name);
  });
  caches.pods.onChange(({ object, old, deleted }) => {
    const node = object.spec?.nodeName;
    if (!deleted && node && old?.spec?.nodeName !== node && caches.nodes.get("", node) === undefined) queue.add(node);
  });
  return controllerComponent(queue, [caches.nodes, caches.leases, caches.pods]);
}

function createNodeWriter({ caches, clock, events }: ControllerContext) {
  const tell = (node: Node, reason: string, message: string) =>
    events.record(SOURCE, { type: Kinds.Node, object: node }, { type: "Normal", reason, message });
  const conditionsOf = (node: Node) => node.status?.conditions ?? [];
  return {
    tell,

    /** Every condition that its kubelet would report becomes Unknown. */
    async markUnknown(node: Node): Promise<Node> {
      const { name } = identityOf(node);
      const now = kubeTime(clock.now());
      const conditions = REPORTED.map((type): NodeCondition => {
        const before = conditionsOf(node).find((condition) => condition.type === type);
        const text =
          before === undefined
            ? { reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." }
            : { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." };
        const heartbeat = before?.lastHeartbeatTime ?? node.metadata?.creationTimestamp ?? now;
        return { type, status: "Unknown", ...text, lastHeartbeatTime: heartbeat, lastTransitionTime: now };
      });
      if (readyStatus(node) === "True") tell(node, "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
      return caches.nodes.patch(node, { status: { conditions } }, { type: "strategic", subresource: "status" });
    },

    /** Taints and the annotation that every node carries. */
    async attend(node: Node): Promise<void> {
      const taints = taintsFor(node, clock.now());
      const annotated = annotationsOf(node)[TTL] !== undefined;
      const labels = oldLabels(node);
      if (taints === undefined && annotated && labels === undefined) return;
      const resourceVersion = node.metadata?.resourceVersion;
      const metadata = {
        ...(annotated ? {} : { annotations: { [TTL]: "0" } }),
        ...(labels === undefined ? {} : { labels }),
      };
      await caches.nodes.patch(node, {
        metadata: { resourceVersion, ...metadata },
        ...(taints === undefined ? {} : { spec: { taints: taints.length === 0 ? null : taints } }),
      });
    },

    async markNotReady(pod: Pod): Promise<void> {
      const ready = readyCondition(pod);
      if (ready?.status !== "True") return;
      const condition = { ...ready, status: "False", lastTransitionTime: kubeTime(clock.now()) };
      await caches.pods.patch(
        pod,
        { status: { conditions: [condition] } },
        { type: "strategic", subresource: "status" },
      );
      const text = { type: "Warning", reason: "NodeNotReady", message: "Node is not ready" } as const;
      events.record(SOURCE, { type: Kinds.Pod, object: pod }, text);
    },

    /** A pod whose node is no more ends here: nobody else will ever say so. */
    async removeOrphan(pod: Pod): Promise<void> {
      if (pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed") {
        const condition = {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByPodGC",
          message: "PodGC: node no longer exists",
          lastTransitionTime: kubeTime(clock.now()),
        };
        const status = { phase: "Failed", conditions: [condition] };
        await caches.pods.patch(pod, { status }, { type: "strategic", subresource: "status" });
      }
      await caches.pods.delete(pod, { gracePeriodSeconds: 0 });
    },
  };
}

/** Labels under their older names, for whoever still selects by them; undefined when they are there. */
function oldLabels(node: Node): Record<string, string> | undefined {
  const labels = labelsOf(node);
  const missing = ["os", "arch"].flatMap((name) => {
    const value = labels[`kubernetes.io/${name}`];
    return value === undefined || labels[`beta.kubernetes.io/${name}`] === value
      ? []
      : [[`beta.kubernetes.io/${name}`, value]];
  });
  return missing.length === 0 ? undefined : Object.fromEntries(missing);
}

/** What of a node matters here: a heartbeat does not. */
function viewOf({ spec, status, metadata }: Node): string {
  const conditions = (status?.conditions ?? []).map(({ type, status: value }) => [type, value]);
  return JSON.stringify([
    conditions,
    spec?.taints,
    spec?.unschedulable,
    metadata?.annotations?.[TTL] === undefined,
    metadata?.labels,
  ]);
}

function readyStatus(node: Node): string | undefined {
  return node.status?.conditions?.find(({ type }) => type === "Ready")?.status;
}
