// A node lives as long as its Lease in kube-node-lease is renewed. One timer a node, set to the moment it would be late.
import type { Node, Pod } from "#api/kubernetes/gen/types";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted, kubeTime } from "../objects/object-meta.ts";
import { isReady } from "../workloads/pod-state.ts";

const LEASE_NAMESPACE = "kube-node-lease";
const GRACE_MS = 40_000;
/** A look that comes so much too late was ours to miss: this program stood still, and the renewals wait unread. */
const OVERSLEPT_MS = 5_000;

/**
 * Says Ready=Unknown of a node that was silent for 40 s and Ready=False of its pods, so that nobody is sent there;
 * removes the pods of a node that is deleted.
 */
export function createNodeLifecycleController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  // When we learned of a node's last sign of life, by our own clock: the node's may differ.
  const heard = new Map<string, number>();

  const reconcile = async (name: string) => {
    // Its lease may be seen before the node: only the API server's own word makes its pods go.
    const node = caches.nodes.get("", name) ?? (await caches.nodes.fetch("", name));
    if (node === undefined) {
      const left = podsOn(name).map((pod) => caches.pods.delete(pod, { gracePeriodSeconds: 0 }));
      await Promise.all(left);
      return;
    }
    const since = heard.get(name) ?? clock.now();
    heard.set(name, since);
    const lateMs = clock.now() - since - GRACE_MS;
    if (lateMs < 0) return queue.addAfter(name, -lateMs);
    if (readyStatus(node) !== "Unknown") {
      if (lateMs > OVERSLEPT_MS) {
        heard.set(name, clock.now());
        return queue.addAfter(name, GRACE_MS);
      }
      await markUnknown(node);
    }
    await Promise.all(podsOn(name).filter(isReady).map(markNotReady));
  };

  const podsOn = (name: string) => [...caches.pods.all()].filter((pod) => pod.spec?.nodeName === name);

  const markUnknown = async (node: Node) => {
    logger.warn({ node: identityOf(node).name }, "node does not renew its lease");
    const text = { reason: "NodeStatusUnknown", message: "The node has not renewed its lease in time." };
    const condition = { type: "Ready", status: "Unknown", lastTransitionTime: kubeTime(clock.now()), ...text };
    await caches.nodes.patch(
      node,
      { status: { conditions: [condition] } },
      { type: "strategic", subresource: "status" },
    );
  };

  const markNotReady = async (pod: Pod) => {
    const text = { reason: "NodeNotReady", message: "The node of this pod is silent." };
    const condition = { type: "Ready", status: "False", lastTransitionTime: kubeTime(clock.now()), ...text };
    await caches.pods.patch(pod, { status: { conditions: [condition] } }, { type: "strategic", subresource: "status" });
  };

  const queue = new WorkQueue({ name: "node-lifecycle", clock, logger, reconcile });
  caches.nodes.onChange(({ object, old, deleted }) => {
    const { name } = identityOf(object);
    if (deleted) heard.delete(name);
    // Any word of the node itself that it is well is a sign of life; ours above says Unknown.
    else if (old !== undefined && readyStatus(object) !== "Unknown" && !isBeingDeleted(object)) {
      heard.set(name, clock.now());
    }
    if (deleted || old === undefined) queue.add(name);
  });
  caches.leases.onChange(({ object, deleted }) => {
    const { namespace, name } = identityOf(object);
    if (namespace !== LEASE_NAMESPACE || deleted) return;
    const silent = clock.now() - (heard.get(name) ?? 0) >= GRACE_MS;
    heard.set(name, clock.now());
    if (silent) queue.add(name);
  });
  return controllerComponent(queue, [caches.nodes, caches.leases, caches.pods]);
}

function readyStatus(node: Node): string | undefined {
  return node.status?.conditions?.find(({ type }) => type === "Ready")?.status;
}
