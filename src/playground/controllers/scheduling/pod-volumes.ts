// What the claims of a pod say of the nodes that it may run on: pure.
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from "#api/kubernetes/gen/types";
import { nanoUnits } from "../../api-server/quantity.ts";
import { annotationsOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { claimsOfPod, whyNotForPod } from "../volumes/pod-claims.ts";
import {
  Annotations,
  classNameOf,
  findVolume,
  isFullyBound,
  isReachedFrom,
  NO_PROVISIONER,
  waitsForConsumer,
} from "../volumes/volume-rules.ts";

export interface StorageView {
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined;
  volume(name: string): PersistentVolume | undefined;
  volumes(): readonly PersistentVolume[];
  storageClass(name: string): StorageClass | undefined;
}

/** What binding the pod to a node takes first. */
export interface VolumePlan {
  readonly bindings: readonly { readonly volume: PersistentVolume; readonly claim: PersistentVolumeClaim }[];
  /** Claims whose provisioner is to be told of the node. */
  readonly provisions: readonly PersistentVolumeClaim[];
}

/** Why no node at all can take the pod yet; else its claims. */
export function claimsFor(pod: Pod, storage: StorageView): { why: string } | { claims: PersistentVolumeClaim[] } {
  const { namespace } = identityOf(pod);
  const claims: PersistentVolumeClaim[] = [];
  for (const { name, ephemeral } of claimsOfPod(pod)) {
    const claim = storage.claim(namespace, name);
    const quoted = JSON.stringify(name);
    if (claim === undefined) {
      const waits = `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`;
      return { why: ephemeral === undefined ? `persistentvolumeclaim ${quoted} not found` : waits };
    }
    const why = whyUnusable(claim) ?? (ephemeral === undefined ? undefined : whyNotForPod(pod, claim));
    if (why !== undefined) return { why };
    claims.push(claim);
  }
  const waits = (claim: PersistentVolumeClaim) => waitsForConsumer(storage.storageClass(classNameOf(claim)));
  const immediate = claims.some((claim) => !isFullyBound(claim) && (!waits(claim) || Boolean(claim.spec?.volumeName)));
  return immediate ? { why: "pod has unbound immediate PersistentVolumeClaims" } : { claims };
}

function whyUnusable(claim: PersistentVolumeClaim): string | undefined {
  const name = JSON.stringify(identityOf(claim).name);
  if (claim.status?.phase === "Lost") {
    const volume = JSON.stringify(claim.spec?.volumeName ?? "");
    return `persistentvolumeclaim ${name} bound to non-existent persistentvolume ${volume}`;
  }
  return isBeingDeleted(claim) ? `persistentvolumeclaim ${name} is being deleted` : undefined;
}

const NO_MATCH = "node(s) didn't find available persistent volumes to bind";

/** For claims that `claimsFor` let through: what is to be done for this node, or why it cannot be. */
export function planFor(
  claims: readonly PersistentVolumeClaim[],
  node: Node,
  storage: StorageView,
): VolumePlan | { why: string } {
  const bound = claims.filter(isFullyBound).map(({ spec }) => storage.volume(spec?.volumeName ?? ""));
  if (bound.includes(undefined)) {
    return { why: "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)" };
  }
  const reached = bound.every((volume) => volume !== undefined && isReachedFrom(volume, labelsOf(node)));
  if (!reached) return { why: "node(s) didn't match PersistentVolume's node affinity" };

  const bindings: VolumePlan["bindings"][number][] = [];
  const provisions: PersistentVolumeClaim[] = [];
  const taken = new Set<string>();
  const size = ({ spec }: PersistentVolumeClaim) => nanoUnits(spec?.resources?.requests?.["storage"]);
  const unbound = claims.filter((claim) => !isFullyBound(claim)).sort((a, b) => Number(size(a) - size(b)));
  for (const claim of unbound) {
    const selected = annotationsOf(claim)[Annotations.selectedNode];
    if (selected !== undefined && selected !== identityOf(node).name) return { why: NO_MATCH };
    const search = { nodeLabels: labelsOf(node), taken, delayed: true };
    const volume = selected === undefined ? findVolume(claim, storage.volumes(), search) : undefined;
    if (volume !== undefined) {
      taken.add(identityOf(volume).name);
      bindings.push({ volume, claim });
      continue;
    }
    const provisioner = storage.storageClass(classNameOf(claim))?.provisioner ?? "";
    if (provisioner === "" || provisioner === NO_PROVISIONER) return { why: NO_MATCH };
    provisions.push(claim);
  }
  return { bindings, provisions };
}
