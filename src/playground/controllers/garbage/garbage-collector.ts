// Deletes what lost all its owners, and carries out deletion in the foreground and with orphans.

import type { ResourceType } from "#api/kinds";
import type { KubeObject } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { metadataOnly, ObjectCache } from "../objects/object-cache.ts";
import { identityOf } from "../objects/object-meta.ts";
import { collectOwned, type OwnedCollector } from "./collect-owned.ts";
import { fetchDeletableTypes } from "./discovery.ts";
import { type GraphNode, OwnerGraph } from "./owner-graph.ts";

/** A definition is served a moment after it is established. */
const DISCOVERY_PAUSE_MS = 300;
/** Nobody owns or is owned here, or the kinds are too many to follow: as the real collector has it. */
const IGNORED = new Set(["/Event", "events.k8s.io/Event", "coordination.k8s.io/Lease"]);

/** Works over all kinds that the server lists and deletes: the shared ones, and each other by a watch of its own. */
export function createGarbageCollector(context: ControllerContext): Component {
  const { caches, clock, logger, client } = context;
  const graph = new OwnerGraph();
  const more = new Map<string, { readonly stop: AbortController }>();
  const shared: FollowedKind[] = Object.values(caches);
  const sharedKeys = new Set(shared.map(({ type }) => keyOf(type)));
  let collect: OwnedCollector | undefined;
  const queue = new WorkQueue({
    name: "garbage-collector",
    clock,
    logger,
    workers: 16,
    async reconcile(uid, signal) {
      collect ??= collectOwned(context, {
        graph,
        add: (later) => queue.add(later),
        watch: (type) => watch(type, signal),
      });
      await collect(uid);
    },
  });

  const watch = (type: ResourceType, signal: AbortSignal) => {
    const key = keyOf(type);
    if (more.has(key) || sharedKeys.has(key) || IGNORED.has(key)) return;
    const stop = new AbortController();
    signal.addEventListener("abort", () => stop.abort(), { once: true });
    more.set(key, { stop });
    const cache = new ObjectCache<KubeObject>(type, context, metadataOnly);
    follow(cache, graph, queue);
    cache.start(stop.signal);
  };

  const discovery = new WorkQueue({
    name: "garbage-collector-discovery",
    clock,
    logger,
    async reconcile(_key, signal) {
      const types = await fetchDeletableTypes(client, signal);
      for (const type of types) watch(type, signal);
      const present = new Set(types.map(keyOf));
      for (const [key, { stop }] of more) {
        if (present.has(key)) continue;
        stop.abort();
        more.delete(key);
      }
    },
  });
  caches.customResourceDefinitions.onChange(() => discovery.addAfter("kinds", DISCOVERY_PAUSE_MS));
  for (const cache of shared) follow(cache, graph, queue);
  discovery.add("kinds");
  const collector = controllerComponent(queue, Object.values(caches));
  const explorer = controllerComponent(discovery, Object.values(caches));
  return {
    name: collector.name,
    async run(signal) {
      await Promise.all([collector.run(signal), explorer.run(signal)]);
    },
  };
}

function keyOf({ group, kind }: ResourceType): string {
  return `${group}/${kind}`;
}

function follow(cache: FollowedKind, graph: OwnerGraph, queue: WorkQueue): void {
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
