// Makes the claims that live and die with their pods.
import { Kinds } from "#api/kinds";
import type { Pod, Volume } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { errorMessage } from "#base/mesh-error";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { controllerReference, identityOf, isBeingDeleted } from "../objects/object-meta.ts";
import { claimsOfPod, ephemeralName, whyNotForPod } from "./pod-claims.ts";

const SOURCE = "ephemeral_volume";

export function createEphemeralVolumeController(context: ControllerContext): Component {
  const { clock, logger, events } = context;
  const { persistentVolumeClaims: claims, pods } = context.caches;

  const makeClaim = async (pod: Pod, volume: Volume): Promise<void> => {
    const { namespace } = identityOf(pod);
    const name = ephemeralName(pod, volume);
    const found = claims.get(namespace, name);
    if (found !== undefined) {
      const why = whyNotForPod(pod, found);
      if (why !== undefined) throw new Error(why);
      return;
    }
    const { metadata = {}, spec = {} } = volume.ephemeral?.volumeClaimTemplate ?? {};
    const { labels, annotations } = metadata;
    await claims.create({
      metadata: {
        namespace,
        name,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [controllerReference(Kinds.Pod, pod)],
      },
      spec,
    });
  };

  const reconcile = async (key: string): Promise<void> => {
    const pod = pods.getByKey(key);
    if (pod === undefined || isBeingDeleted(pod)) return;
    for (const { ephemeral: volume } of claimsOfPod(pod)) {
      if (volume === undefined) continue;
      try {
        await makeClaim(pod, volume);
      } catch (thrown) {
        const message = `ephemeral volume ${volume.name}: ${errorMessage(thrown)}`;
        const about = { type: Kinds.Pod, object: pod };
        events.record(SOURCE, about, { type: "Warning", reason: "FailedBinding", message });
        throw thrown;
      }
    }
  };

  const queue = new WorkQueue({ name: "ephemeral-volumes", clock, logger, reconcile });
  const hasEphemeral = (pod: Pod) => claimsOfPod(pod).some(({ ephemeral }) => ephemeral !== undefined);
  pods.onChange(({ object, old, deleted }) => {
    if (!deleted && old === undefined && hasEphemeral(object)) queue.add(objectKey(object));
  });
  claims.onChange(({ object, deleted }) => {
    const owner = object.metadata?.ownerReferences?.find(({ kind, controller }) => controller && kind === "Pod");
    if (deleted && owner !== undefined) queue.add(`${identityOf(object).namespace}/${owner.name}`);
  });
  return controllerComponent(queue, [claims, pods]);
}
