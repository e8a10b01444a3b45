// Deletes what lost all its owners, and carries out deletion in the foreground and with orphans.

import type { ResourceType } from "#api/kinds";
import type { KubeObject } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { ObjectCache } from "../objects/object-cache.ts";
import { identityOf } from "../objects/object-meta.ts";
import { collectOwned, type OwnedCollector } from "./collect-owned.ts";
import { type GraphNode, OwnerGraph } from "./owner-graph.ts";

/**
 * Works over the shared kinds. The kind of an owner outside of them (a custom resource) is watched from the moment that
 * its first dependent is seen.
 */
export function createGarbageCollector(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const graph = new OwnerGraph();
  const more = new Map<string, ObjectCache<KubeObject>>();
  let collect: OwnedCollector | undefined;
  const queue = new WorkQueue({
    name: "garbage-collector",
    clock,
    logger,
    workers: 16,
    async reconcile(uid, signal) {
      collect ??= collectOwned(context, { graph, add: (later) => queue.add(later), watch: watchUntil(signal) });
      await collect(uid);
    },
  });

  const follow = (cache: FollowedKind) =>
    cache.onChange(({ object, deleted }) => {
      const { uid } = identityOf(object);
      const before = graph.get(uid);
      if (!deleted) {
        const node = graph.put(cache.type, object);
        if (needsLook(node) && (before === undefined || viewOf(node) !== viewOf(before))) queue.add(uid);
        return;
      }
      for (const dependent of graph.dependentsOf(uid)) queue.add(dependent.uid);
      graph.remove(uid);
      // A foreground owner may have waited for this one.
      for (const owner of before?.owners ?? []) queue.add(owner.uid);
    });

  const watchUntil = (signal: AbortSignal) => (type: ResourceType) => {
    const key = `${type.group}/${type.kind}`;
    if (more.has(key)) return;
    const cache = new ObjectCache<KubeObject>(type, context);
    more.set(key, cache);
    follow(cache);
    cache.start(signal);
  };

  const shared: FollowedKind[] = Object.values(caches);
  for (const cache of shared) follow(cache);
  return controllerComponent(queue, Object.values(caches));
}

/** Only metadata is read here, which every kind has. */
type FollowedKind = Pick<ObjectCache<KubeObject>, "type" | "onChange">;

function needsLook({ beingDeleted, owners }: GraphNode): boolean {
  return beingDeleted || owners.length > 0;
}

/** What of an object matters here: a change of status does not. */
function viewOf({ owners, finalizers, beingDeleted }: GraphNode): string {
  return JSON.stringify([owners, finalizers, beingDeleted]);
}
