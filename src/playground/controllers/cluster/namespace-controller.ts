// The end of a namespace: everything in it is deleted, then finalizer `kubernetes` is given back. No fixed wait:
// it looks again when a pod of the namespace goes, else with a short growing pause.

import { type ResourceType, resourcePath } from "#api/kinds";
import type { Namespace } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { type KubeClient, KubeError } from "#kube/kube-client";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { fetchNamespacedTypes } from "../garbage/discovery.ts";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { sameStatus } from "../workloads/conditions.ts";
import { namespaceConditions, type Remaining } from "./namespace-conditions.ts";

const FINALIZER = "kubernetes";
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;

export function createNamespaceController(context: ControllerContext): Component {
  const { caches, client, clock, logger } = context;
  const looks = new Map<string, number>();

  const reconcile = async (name: string, signal: AbortSignal) => {
    const namespace = caches.namespaces.get("", name);
    if (namespace === undefined || !isBeingDeleted(namespace) || !isOurs(namespace)) {
      looks.delete(name);
      return;
    }
    if (namespace.status?.phase !== "Terminating") {
      const status = { ...namespace.status, phase: "Terminating" };
      await caches.namespaces.replace({ ...namespace, status }, "status");
      return;
    }
    const remaining = await deleteContent(client, name, signal);
    if (remaining.length === 0) {
      looks.delete(name);
      await finalize(namespace);
      return;
    }
    await tell(namespace, remaining);
    const look = looks.get(name) ?? 0;
    looks.set(name, look + 1);
    queue.addAfter(name, Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** look));
  };

  const tell = async (namespace: Namespace, remaining: readonly Remaining[]) => {
    const conditions = namespaceConditions(namespace, remaining, clock.now());
    if (sameStatus({ conditions: namespace.status?.conditions }, { conditions })) return;
    await caches.namespaces.replace({ ...namespace, status: { ...namespace.status, conditions } }, "status");
  };

  const finalize = async (namespace: Namespace) => {
    const finalizers = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
    try {
      await caches.namespaces.replace({ ...namespace, spec: { ...namespace.spec, finalizers } }, "finalize");
    } catch (thrown) {
      if (!(thrown instanceof KubeError && thrown.status === 404)) throw thrown;
    }
  };

  const queue = new WorkQueue({ name: "namespace", clock, logger, reconcile });
  caches.namespaces.onChange(({ object, deleted }) => {
    if (!deleted && isBeingDeleted(object)) queue.add(identityOf(object).name);
  });
  caches.pods.onChange(({ object, deleted }) => {
    const { namespace } = identityOf(object);
    if (deleted && looks.has(namespace)) queue.add(namespace);
  });
  return controllerComponent(queue, [caches.namespaces]);
}

function isOurs(namespace: Namespace): boolean {
  return namespace.spec?.finalizers?.includes(FINALIZER) ?? false;
}

/** Deletes what is in the namespace and returns the kinds of which objects are still there, those that end later too. */
async function deleteContent(client: KubeClient, namespace: string, signal: AbortSignal): Promise<Remaining[]> {
  const types = await fetchNamespacedTypes(client, signal);
  const left = await Promise.all(
    types.map(async (type) => ({ type, objects: await deleteAll(client, { type, namespace }, signal) })),
  );
  return left.filter(({ objects }) => objects.length > 0);
}

async function deleteAll(
  client: KubeClient,
  { type, namespace }: { type: ResourceType; namespace: string },
  signal: AbortSignal,
): Promise<KubeObject[]> {
  try {
    const before = await client.list<KubeObject>(type, { namespace, signal });
    if (before.items.length === 0) return [];
    if (before.items.some((object) => !isBeingDeleted(object))) {
      await client.request("DELETE", resourcePath(type, { namespace }), {
        body: { apiVersion: "v1", kind: "DeleteOptions", propagationPolicy: "Background" },
        signal,
      });
    }
    return (await client.list<KubeObject>(type, { namespace, signal })).items;
  } catch (thrown) {
    // A kind may go away, with its definition, while we look at it.
    if (thrown instanceof KubeError && (thrown.status === 404 || thrown.status === 405)) return [];
    throw thrown;
  }
}
