// Who owns whom, over all kinds: the memory of the garbage collector. Holds identities only, never whole objects.

import type { ResourceType } from "#api/kinds";
import type { OwnerReference } from "#api/kubernetes/gen/types";
import type { KubeObject } from "#api/kubernetes/object";
import { identityOf, isBeingDeleted, type ObjectIdentity } from "../objects/object-meta.ts";

export interface GraphNode extends ObjectIdentity {
  readonly type: ResourceType;
  readonly owners: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly beingDeleted: boolean;
}

export function graphNode(type: ResourceType, object: KubeObject): GraphNode {
  const { ownerReferences: owners = [], finalizers = [] } = object.metadata ?? {};
  return { ...identityOf(object), type, owners, finalizers, beingDeleted: isBeingDeleted(object) };
}

export class OwnerGraph {
  readonly #nodes = new Map<string, GraphNode>();
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): GraphNode | undefined {
    return this.#nodes.get(uid);
  }

  dependentsOf(uid: string): GraphNode[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#nodes.get(dependent) ?? []);
  }

  put(type: ResourceType, object: KubeObject): GraphNode {
    const node = graphNode(type, object);
    this.#unlink(node.uid);
    this.#nodes.set(node.uid, node);
    for (const { uid } of node.owners) {
      const dependents = this.#dependents.get(uid) ?? new Set();
      dependents.add(node.uid);
      this.#dependents.set(uid, dependents);
    }
    return node;
  }

  remove(uid: string): void {
    this.#unlink(uid);
    this.#nodes.delete(uid);
  }

  #unlink(uid: string): void {
    for (const owner of this.#nodes.get(uid)?.owners ?? []) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
  }
}
