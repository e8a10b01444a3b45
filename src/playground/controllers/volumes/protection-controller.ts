// A claim that a pod uses and a volume that is bound stay until they are so no more, whoever deletes them.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "#api/kubernetes/gen/types";
import { type KubeObject, objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import type { ObjectCache } from "../objects/object-cache.ts";
import { identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { claimNames, claimsOfPod, whyNotForPod } from "./pod-claims.ts";
import { versionOf } from "./volume-writes.ts";

const OF_CLAIMS = "kubernetes.io/pvc-protection";
const OF_VOLUMES = "kubernetes.io/pv-protection";

export function createClaimProtection(context: ControllerContext): Component {
  const { clock, logger } = context;
  const { persistentVolumeClaims: claims, pods } = context.caches;
  const isUsed = (claim: PersistentVolumeClaim) =>
    pods.inNamespace(identityOf(claim).namespace).some((pod) => uses(pod, claim));
  const queue = new WorkQueue({
    name: "claim-protection",
    clock,
    logger,
    reconcile: (key) => protect(claims, key, { finalizer: OF_CLAIMS, isUsed }),
  });
  claims.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  pods.onChange(({ object, old, deleted }) => {
    const newlyShutDown = old !== undefined && isShutDown(object) !== isShutDown(old);
    if (!deleted && !newlyShutDown) return;
    for (const name of claimNames(object)) queue.add(`${identityOf(object).namespace}/${name}`);
  });
  return controllerComponent(queue, [claims, pods]);
}

export function createVolumeProtection(context: ControllerContext): Component {
  const { clock, logger } = context;
  const { persistentVolumes: volumes } = context.caches;
  const isUsed = ({ status }: PersistentVolume) => status?.phase === "Bound";
  const queue = new WorkQueue({
    name: "volume-protection",
    clock,
    logger,
    reconcile: (key) => protect(volumes, key, { finalizer: OF_VOLUMES, isUsed }),
  });
  volumes.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(identityOf(object).name);
  });
  return controllerComponent(queue, [volumes]);
}

interface Protection<T> {
  readonly finalizer: string;
  isUsed(object: T): boolean;
}

async function protect<T extends KubeObject>(cache: ObjectCache<T>, key: string, by: Protection<T>): Promise<void> {
  const object = cache.getByKey(key);
  if (object === undefined) return;
  const finalizers = object.metadata?.finalizers ?? [];
  const has = finalizers.includes(by.finalizer);
  if (isBeingDeleted(object) !== has || (has && by.isUsed(object))) return;
  const kept = has ? finalizers.filter((finalizer) => finalizer !== by.finalizer) : [...finalizers, by.finalizer];
  await cache.patch(object, { metadata: { ...versionOf(object), finalizers: kept.length === 0 ? null : kept } });
}

/** Before it has a node a pod uses nothing: its node will not start it with a claim that is being deleted. */
function uses(pod: Pod, claim: PersistentVolumeClaim): boolean {
  if (!pod.spec?.nodeName) return false;
  return claimsOfPod(pod).some(({ name, ephemeral }) => {
    if (name !== identityOf(claim).name) return false;
    return ephemeral === undefined || (!isShutDown(pod) && whyNotForPod(pod, claim) === undefined);
  });
}

/** Its node is done with it, or it was deleted by force; only finalizers keep it. */
function isShutDown(pod: Pod): boolean {
  return isBeingDeleted(pod) && pod.metadata?.deletionGracePeriodSeconds === 0;
}
