// Deletes what lost all its owners, and carries out deletion in the foreground and with orphans.
import type { OwnerReference } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { apiVersionOf, type ResourceType } from "#api/kinds";
import type { Component } from "#base/component";
import { isNotFound, type DeleteOptions } from "#kube/kube-client";
import { type ControllerContext, controllerComponent } from "./controller.ts";
import type { ObjectCache } from "./object-cache.ts";
import { identityOf } from "./object-meta.ts";
import { type GraphNode, OwnerGraph } from "./owner-graph.ts";
import { WorkQueue } from "./work-queue.ts";

const FOREGROUND = "foregroundDeletion";
const ORPHAN = "orphan";

/**
 * Works over the shared kinds. An owner of another kind (a custom resource) is asked for by GET when its dependent is
 * first seen and again whenever that one changes.
 */
export function createGarbageCollector(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const graph = new OwnerGraph();
  const write = createGraphWriter(context);
  const exists = createOwnerLookup(context, graph);

  const reconcile = async (uid: string) => {
    const node = graph.get(uid);
    if (node === undefined) return;
    if (node.beingDeleted) {
      if (node.finalizers.includes(ORPHAN)) await orphanDependents(node);
      else if (node.finalizers.includes(FOREGROUND)) await deleteDependents(node);
      return;
    }
    if (node.owners.length > 0) await checkOwners(node);
  };

  const checkOwners = async (node: GraphNode) => {
    const found = await Promise.all(node.owners.map((owner) => exists(node, owner)));
    const dangling = node.owners.filter((_owner, index) => found[index] === "absent");
    const solid = node.owners.filter((_owner, index) => found[index] === "solid");
    const waiting = node.owners.filter((_owner, index) => found[index] === "deletingDependents");
    if (solid.length > 0) {
      const leave = [...dangling, ...waiting].map(({ uid }) => uid);
      if (leave.length > 0) await write.dropOwners(node, leave);
      return;
    }
    // An owner that goes in the foreground takes its dependents' dependents along first.
    const hasDependents = graph.dependentsOf(node.uid).length > 0;
    if (waiting.length > 0) await write.remove(node, hasDependents ? "Foreground" : "Background");
    else await write.remove(node, inheritedPolicy(node));
  };

  const orphanDependents = async (node: GraphNode) => {
    await Promise.all(graph.dependentsOf(node.uid).map((dependent) => write.dropOwners(dependent, [node.uid])));
    await write.dropFinalizer(node, ORPHAN);
  };

  const deleteDependents = async (node: GraphNode) => {
    const dependents = graph.dependentsOf(node.uid);
    const blocking = dependents.some(({ owners }) =>
      owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion === true),
    );
    if (!blocking) await write.dropFinalizer(node, FOREGROUND);
    for (const dependent of dependents) if (!dependent.beingDeleted) queue.add(dependent.uid);
  };

  const queue = new WorkQueue({ name: "garbage-collector", clock, logger, workers: 16, reconcile });
  const watched = watchedKinds(context);
  for (const cache of watched) {
    cache.onChange(({ object, deleted }) => {
      const { uid } = identityOf(object);
      const owners = graph.get(uid)?.owners ?? [];
      if (deleted) {
        for (const dependent of graph.dependentsOf(uid)) queue.add(dependent.uid);
        graph.remove(uid);
        // A foreground owner may have waited for this one.
        for (const owner of owners) queue.add(owner.uid);
        return;
      }
      const node = graph.put(cache.type, object);
      if (node.beingDeleted || node.owners.length > 0) queue.add(uid);
    });
  }
  return controllerComponent(queue, Object.values(caches));
}

function inheritedPolicy({ finalizers }: GraphNode): NonNullable<DeleteOptions["propagationPolicy"]> {
  if (finalizers.includes(ORPHAN)) return "Orphan";
  return finalizers.includes(FOREGROUND) ? "Foreground" : "Background";
}

/** Only metadata is read here, which every kind has. */
function watchedKinds({ caches }: ControllerContext): Pick<ObjectCache<KubeObject>, "type" | "onChange">[] {
  return Object.values(caches);
}

type OwnerState = "solid" | "absent" | "deletingDependents";

function createOwnerLookup({ caches, client }: ControllerContext, graph: OwnerGraph) {
  const watched = new Set(Object.values(caches).map(({ type }) => `${type.group}/${type.kind}`));
  const stateOf = (owner: GraphNode): OwnerState =>
    owner.beingDeleted && owner.finalizers.includes(FOREGROUND) ? "deletingDependents" : "solid";

  /** A kind that is not watched, or an owner not seen: only the API server's own word lets a dependent die. */
  return async (dependent: GraphNode, owner: OwnerReference): Promise<OwnerState> => {
    const known = graph.get(owner.uid);
    if (known !== undefined) return stateOf(known);
    try {
      const type = watchedType(owner, watched, caches) ?? (await client.resourceType(owner.apiVersion, owner.kind));
      const at = type.namespaced ? { namespace: dependent.namespace, name: owner.name } : { name: owner.name };
      const found = await client.get<KubeObject>(type, at);
      return identityOf(found).uid === owner.uid ? "solid" : "absent";
    } catch (thrown) {
      if (isNotFound(thrown)) return "absent";
      throw thrown;
    }
  };
}

function watchedType(
  owner: OwnerReference,
  watched: ReadonlySet<string>,
  caches: ControllerContext["caches"],
): ResourceType | undefined {
  const group = owner.apiVersion.includes("/") ? owner.apiVersion.slice(0, owner.apiVersion.indexOf("/")) : "";
  if (!watched.has(`${group}/${owner.kind}`)) return undefined;
  return Object.values(caches).find(({ type }) => type.group === group && type.kind === owner.kind)?.type;
}

function createGraphWriter({ client, logger }: ControllerContext) {
  const addressOf = ({ type, namespace, name }: GraphNode) => (type.namespaced ? { namespace, name } : { name });
  const patch = async (node: GraphNode, metadata: Record<string, unknown>) => {
    try {
      await client.patch(node.type, addressOf(node), { metadata: { uid: node.uid, ...metadata } }, { type: "merge" });
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
  };
  return {
    dropOwners: (node: GraphNode, uids: readonly string[]) =>
      patch(node, { ownerReferences: node.owners.filter(({ uid }) => !uids.includes(uid)) }),
    dropFinalizer: (node: GraphNode, name: string) =>
      patch(node, { finalizers: node.finalizers.filter((finalizer) => finalizer !== name) }),
    async remove(node: GraphNode, propagationPolicy: "Foreground" | "Background" | "Orphan"): Promise<void> {
      const { namespace, name, type } = node;
      logger.debug({ kind: type.kind, apiVersion: apiVersionOf(type), namespace, name }, "garbage collected");
      try {
        await client.delete(type, addressOf(node), { uid: node.uid, propagationPolicy });
      } catch (thrown) {
        if (!isNotFound(thrown)) throw thrown;
      }
    },
  };
}
