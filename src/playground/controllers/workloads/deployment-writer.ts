// What a Deployment does to its ReplicaSets, each with the event that tells of it.

import { Kinds } from "#api/kinds";
import type { Deployment, ReplicaSet } from "#api/kubernetes/gen/types";
import { errorMessage } from "#base/mesh-error";
import { KubeError } from "#kube/kube-client";
import type { ControllerContext } from "../controller.ts";
import {
  annotationsOf,
  controllerOf,
  controllerReference,
  identityOf,
  isBeingDeleted,
} from "../objects/object-meta.ts";
import { HISTORY, REVISION, revisionOf, sizeAnnotations } from "./deployment-revisions.ts";
import { sameTemplate } from "./pod-template-hash.ts";
import { rolloutBounds } from "./rolling-update.ts";

const SOURCE = "deployment-controller";

export type DeploymentWriter = ReturnType<typeof createDeploymentWriter>;

export function createDeploymentWriter({ caches, events }: ControllerContext) {
  const tell = (deployment: Deployment, type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(SOURCE, { type: Kinds.Deployment, object: deployment }, { type, reason, message });

  const tellScaled = (deployment: Deployment, set: ReplicaSet, from: number, to: number) => {
    const message = `Scaled ${to > from ? "up" : "down"} replica set ${identityOf(set).name} from ${from} to ${to}`;
    tell(deployment, "Normal", "ScalingReplicaSet", message);
  };

  /** The name is taken: by another template of ours or another owner (then another name is needed), or by a stranger. */
  const countCollision = async (deployment: Deployment, set: ReplicaSet, thrown: unknown) => {
    const { namespace, name } = identityOf(set);
    const holder = await caches.replicaSets.fetch(namespace, name);
    // Ours, or an orphan to adopt, or about to go: the cache was behind, and the next look decides.
    if (holder === undefined || !isHeldByOther(deployment, set, holder)) throw thrown;
    const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
    await caches.deployments.patch(deployment, { status: { collisionCount } }, { subresource: "status" });
  };

  return {
    adopt(deployment: Deployment, set: ReplicaSet): Promise<ReplicaSet> {
      const owners = [...(set.metadata?.ownerReferences ?? []), controllerReference(Kinds.Deployment, deployment)];
      return caches.replicaSets.patch(set, { metadata: { uid: identityOf(set).uid, ownerReferences: owners } });
    },

    /** Undefined when its name is taken; the count of collisions then gives it another one. */
    async create(deployment: Deployment, set: ReplicaSet): Promise<ReplicaSet | undefined> {
      try {
        const created = await caches.replicaSets.create(set);
        const replicas = set.spec?.replicas ?? 0;
        if (replicas > 0) tellScaled(deployment, set, 0, replicas);
        return created;
      } catch (thrown) {
        if (thrown instanceof KubeError && thrown.reason === "AlreadyExists") {
          await countCollision(deployment, set, thrown);
          return undefined;
        }
        const message = `Failed to create new replica set "${identityOf(set).name}": ${errorMessage(thrown)}`;
        tell(deployment, "Warning", "ReplicaSetCreateError", message);
        throw thrown;
      }
    },

    /** True when the size changed. The size of the Deployment is noted on the ReplicaSet with it. */
    async scale(deployment: Deployment, set: ReplicaSet, replicas: number, quiet = false): Promise<boolean> {
      const before = set.spec?.replicas ?? 1;
      const annotations = sizeAnnotations(rolloutBounds(deployment));
      const noted = Object.entries(annotations).every(([key, value]) => annotationsOf(set)[key] === value);
      if (before === replicas && (noted || quiet)) return false;
      await caches.replicaSets.patch(set, { metadata: { annotations }, spec: { replicas } });
      if (before !== replicas) tellScaled(deployment, set, before, replicas);
      return before !== replicas;
    },

    /** Gives the current ReplicaSet the Deployment's annotations and its revision; an older one goes to its history. */
    async annotate(deployment: Deployment, set: ReplicaSet, annotations: Record<string, string>): Promise<void> {
      const changed = Object.entries(annotations).filter(([key, value]) => annotationsOf(set)[key] !== value);
      const wanted = Object.fromEntries(changed);
      const before = annotationsOf(set)[REVISION];
      if (wanted[REVISION] !== undefined && before !== undefined && revisionOf(set) < Number(wanted[REVISION])) {
        const history = annotationsOf(set)[HISTORY] ?? "";
        wanted[HISTORY] = history === "" ? before : `${history},${before}`;
      }
      const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
      const patience = minReadySeconds !== (set.spec?.minReadySeconds ?? 0);
      if (changed.length === 0 && !patience) return;
      await caches.replicaSets.patch(set, {
        metadata: { annotations: wanted },
        ...(patience ? { spec: { minReadySeconds } } : {}),
      });
    },
  };
}

/** Whether the name belongs to another template or to another living owner, so that we need another name. */
function isHeldByOther(deployment: Deployment, wanted: ReplicaSet, holder: ReplicaSet): boolean {
  const owner = controllerOf(holder);
  // A Deployment of this name with another uid is our predecessor: its end frees or deletes what it had.
  if (isBeingDeleted(holder) || (owner?.kind === "Deployment" && owner.name === identityOf(deployment).name)) {
    return (
      owner?.uid === identityOf(deployment).uid &&
      !sameTemplate(holder.spec?.template ?? {}, wanted.spec?.template ?? {})
    );
  }
  return owner !== undefined;
}
