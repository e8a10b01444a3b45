// The decision about one object: whether its owners are still there, and what its deletion means for what it owns.

import { apiVersionOf, type ResourceType } from "#api/kinds";
import type { OwnerReference } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { type DeleteOptions, isNotFound } from "#kube/kube-client";
import type { ControllerContext } from "../controller.ts";
import { identityOf } from "../objects/object-meta.ts";
import { type GraphNode, graphNode, type OwnerGraph } from "./owner-graph.ts";

const FOREGROUND = "foregroundDeletion";
const ORPHAN = "orphan";

/** Looks at the object with this uid once. */
export type OwnedCollector = (uid: string) => Promise<void>;

export interface OwnedCollectorParts {
  readonly graph: OwnerGraph;
  /** Asks for a look at another object. */
  add(uid: string): void;
  /** Follows a kind that is nobody's shared one. */
  watch(type: ResourceType): void;
}

export function collectOwned(context: ControllerContext, parts: OwnedCollectorParts): OwnedCollector {
  const { graph } = parts;
  const write = createGraphWriter(context);
  const exists = createOwnerLookup(context, parts);

  const checkOwners = async (known: GraphNode) => {
    if ((await ownersLeft(known)).solid.length === known.owners.length) return;
    // The watches of two kinds are not in step: a dependent may have other owners by now. It is asked for itself.
    const node = await write.fetch(known);
    if (node === undefined || node.owners.length === 0 || node.beingDeleted) return;
    const { solid, waiting } = await ownersLeft(node);
    if (solid.length > 0) {
      if (solid.length < node.owners.length) await write.keepOwners(node, solid);
      return;
    }
    // An owner that goes in the foreground takes its dependents' dependents along first.
    const foreground = waiting && graph.dependentsOf(node.uid).length > 0;
    await write.remove(node, foreground ? "Foreground" : inheritedPolicy(node));
  };

  const ownersLeft = async (node: GraphNode) => {
    const states = await Promise.all(node.owners.map((owner) => exists(node, owner)));
    const solid = node.owners.filter((_owner, index) => states[index] === "solid");
    return { solid, waiting: states.includes("deletingDependents") };
  };

  const orphanDependents = async (node: GraphNode) => {
    const orphan = async (known: GraphNode) => {
      const dependent = await write.fetch(known);
      const owners = dependent?.owners.filter(({ uid }) => uid !== node.uid) ?? [];
      if (dependent !== undefined && owners.length < dependent.owners.length) await write.keepOwners(dependent, owners);
    };
    await Promise.all(graph.dependentsOf(node.uid).map(orphan));
    await write.dropFinalizer(node, ORPHAN);
  };

  const deleteDependents = async (node: GraphNode) => {
    const dependents = graph.dependentsOf(node.uid);
    const blocking = dependents.some(({ owners }) =>
      owners.some(({ uid, blockOwnerDeletion }) => uid === node.uid && blockOwnerDeletion === true),
    );
    if (!blocking) await write.dropFinalizer(node, FOREGROUND);
    for (const dependent of dependents) if (!dependent.beingDeleted) parts.add(dependent.uid);
  };

  return async (uid) => {
    const node = graph.get(uid);
    if (node === undefined) return;
    if (node.beingDeleted && node.finalizers.includes(ORPHAN)) await orphanDependents(node);
    else if (node.beingDeleted && node.finalizers.includes(FOREGROUND)) await deleteDependents(node);
    else if (!node.beingDeleted && node.owners.length > 0) await checkOwners(node);
  };
}

function inheritedPolicy({ finalizers }: GraphNode): NonNullable<DeleteOptions["propagationPolicy"]> {
  if (finalizers.includes(ORPHAN)) return "Orphan";
  return finalizers.includes(FOREGROUND) ? "Foreground" : "Background";
}

type OwnerState = "solid" | "absent" | "deletingDependents";

function createOwnerLookup({ caches, client, events }: ControllerContext, { graph, watch }: OwnedCollectorParts) {
  const shared = Object.values(caches).map(({ type }) => type);

  const typeOf = async ({ apiVersion, kind }: OwnerReference): Promise<ResourceType | undefined> => {
    const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.indexOf("/")) : "";
    const found = shared.find((type) => type.group === group && type.kind === kind);
    if (found !== undefined) return found;
    const type = await unlessGone(client.resourceType(apiVersion, kind));
    if (type !== undefined) watch(type);
    return type;
  };

  const tellElsewhere = ({ type, namespace, name, uid }: GraphNode, owner: OwnerReference) => {
    const from = `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}]`;
    const message = `${from} does not exist in namespace "${namespace}"`;
    const object = { metadata: { namespace, name, uid } };
    const text = { type: "Warning", reason: "OwnerRefInvalidNamespace", message } as const;
    events.record("garbage-collector-controller", { type, object }, text);
  };

  /** Of an owner that was not seen, only the API server's own word lets a dependent die; an unknown kind is no word. */
  return async (dependent: GraphNode, owner: OwnerReference): Promise<OwnerState> => {
    const known = graph.get(owner.uid);
    if (known !== undefined && isElsewhere(dependent, known)) {
      tellElsewhere(dependent, owner);
      return "absent";
    }
    if (known !== undefined) {
      return known.beingDeleted && known.finalizers.includes(FOREGROUND) ? "deletingDependents" : "solid";
    }
    const type = await typeOf(owner);
    if (type === undefined) return "solid";
    const at = type.namespaced ? { namespace: dependent.namespace, name: owner.name } : { name: owner.name };
    const found = await unlessGone(client.get<KubeObject>(type, at));
    return found !== undefined && identityOf(found).uid === owner.uid ? "solid" : "absent";
  };
}

/** An owner in another namespace is no owner, wherever else it lives. */
function isElsewhere(dependent: GraphNode, owner: GraphNode): boolean {
  return owner.type.namespaced && owner.namespace !== dependent.namespace;
}

async function unlessGone<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
    return undefined;
  }
}

/** A node with the version it was read at, so that writing fails when somebody else was faster. */
interface LiveNode extends GraphNode {
  readonly resourceVersion: string;
}

function createGraphWriter({ client, logger }: ControllerContext) {
  const addressOf = ({ type, namespace, name }: GraphNode) => (type.namespaced ? { namespace, name } : { name });
  const patch = (node: GraphNode, metadata: Record<string, unknown>) =>
    unlessGone(
      client.patch(node.type, addressOf(node), { metadata: { uid: node.uid, ...metadata } }, { type: "merge" }),
    );
  return {
    /** The object as it is now; undefined when it is gone or another one has its name. */
    async fetch(node: GraphNode): Promise<LiveNode | undefined> {
      const object = await unlessGone(client.get<KubeObject>(node.type, addressOf(node)));
      if (object === undefined || identityOf(object).uid !== node.uid) return undefined;
      return { ...graphNode(node.type, object), resourceVersion: object.metadata?.resourceVersion ?? "" };
    },
    keepOwners: ({ resourceVersion, ...node }: LiveNode, owners: readonly OwnerReference[]) =>
      patch(node, { resourceVersion, ownerReferences: owners }),
    dropFinalizer: (node: GraphNode, name: string) =>
      patch(node, { finalizers: node.finalizers.filter((finalizer) => finalizer !== name) }),
    async remove(node: LiveNode, propagationPolicy: "Foreground" | "Background" | "Orphan"): Promise<void> {
      const { namespace, name, type, uid, resourceVersion } = node;
      logger.debug({ kind: type.kind, apiVersion: apiVersionOf(type), namespace, name }, "garbage collected");
      await unlessGone(client.delete(type, addressOf(node), { uid, resourceVersion, propagationPolicy }));
    },
  };
}
