import type { Component } from "#base/component";
import { KubeError } from "#kube/kube-client";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";

const DEFAULT = "default";

/** Keeps the service account `default` in every namespace. */
export function createServiceAccountController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const reconcile = async (name: string) => {
    const namespace = caches.namespaces.get("", name);
    if (namespace === undefined || isBeingDeleted(namespace)) return;
    if (caches.serviceAccounts.get(name, DEFAULT) !== undefined) return;
    await ignoreExisting(caches.serviceAccounts.create({ metadata: { namespace: name, name: DEFAULT } }));
  };
  const queue = new WorkQueue({ name: "service-account", clock, logger, reconcile });
  caches.namespaces.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(identityOf(object).name);
  });
  caches.serviceAccounts.onChange(({ object, deleted }) => {
    if (deleted && identityOf(object).name === DEFAULT) queue.add(identityOf(object).namespace);
  });
  return controllerComponent(queue, [caches.namespaces, caches.serviceAccounts]);
}

/** Somebody else was faster: what was wanted is there. */
export async function ignoreExisting(create: Promise<unknown>): Promise<void> {
  try {
    await create;
  } catch (thrown) {
    if (!(thrown instanceof KubeError && thrown.reason === "AlreadyExists")) throw thrown;
  }
}
