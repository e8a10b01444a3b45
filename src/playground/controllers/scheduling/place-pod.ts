import type { Node, Pod } from "#api/kubernetes/gen/types";
import type { ObjectCaches } from "../objects/object-caches.ts";
import { identityOf } from "../objects/object-meta.ts";
import { bindPodVolumes } from "./bind-pod-volumes.ts";
import { chooseNode } from "./choose-node.ts";
import { claimsFor, planFor, type StorageView } from "./pod-volumes.ts";

const OTHER_NODE = "node(s) didn't find available persistent volumes to bind";

/** The pod's node, not ready while its volumes are being made there; or Kubernetes' sentence that tells why there is none. */
export type Placement = { readonly node: string; readonly ready: boolean } | { readonly message: string };

export interface Placer {
  place(pod: Pod): Promise<Placement>;
  /** It has its node, or needs none any more. */
  forget(pod: Pod): void;
}

/** Finds nodes for pods and sees to it that their claims have volumes there. */
export function createPlacer(caches: ObjectCaches, podsOn: (node: string) => readonly Pod[]): Placer {
  // Pods whose volumes are on their way to a node, by uid.
  const promised = new Map<string, string>();
  const storage: StorageView = {
    claim: (namespace, name) => caches.persistentVolumeClaims.get(namespace, name),
    volume: (name) => caches.persistentVolumes.get("", name),
    volumes: () => [...caches.persistentVolumes.all()],
    storageClass: (name) => caches.storageClasses.get("", name),
  };
  return {
    async place(pod) {
      const { uid } = identityOf(pod);
      const nodes = [...caches.nodes.all()];
      const found = claimsFor(pod, storage);
      if ("why" in found) return { message: `0/${nodes.length} nodes are available: ${found.why}. not found` };
      const planOn = (node: Node) => planFor(found.claims, node, storage);
      const choice = chooseNode(pod, nodes, podsOn, (node) => {
        const other = promised.has(uid) && promised.get(uid) !== identityOf(node).name;
        const plan = planOn(node);
        if ("why" in plan) return plan.why;
        return other ? OTHER_NODE : undefined;
      });
      if ("message" in choice) {
        promised.delete(uid);
        return choice;
      }
      const chosen = caches.nodes.get("", choice.node);
      const plan = chosen === undefined ? undefined : planOn(chosen);
      if (plan === undefined || "why" in plan) throw new Error(`node ${choice.node} went away`);
      const ready = await bindPodVolumes(caches, plan, choice.node);
      // Its claims tell when they are bound.
      if (!ready) promised.set(uid, choice.node);
      return { node: choice.node, ready };
    },
    forget: (pod) => void promised.delete(identityOf(pod).uid),
  };
}
