// One look at a StatefulSet: make what is missing, end what is too much, then update, each from the right end.
import type { Pod, StatefulSet } from "#api/kubernetes/gen/types";
import type { ControllerContext } from "../controller.ts";
import { identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { isFinished } from "../workloads/pod-state.ts";
import type { StatefulPodControl } from "./stateful-pod-control.ts";
import {
  buildPod,
  isAvailable,
  isInRange,
  isRunningAndReady,
  ordinalOf,
  REVISION_HASH,
  replicasOf,
  type StatefulTemplates,
  startOrdinal,
} from "./stateful-pods.ts";

interface Look {
  readonly set: StatefulSet;
  /** One a number, made or to be made. */
  readonly replicas: readonly { pod: Pod; made: boolean }[];
  /** Beyond the range, highest number first. */
  readonly condemned: readonly Pod[];
  readonly monotonic: boolean;
  readonly now: number;
}

export function createStatefulSteps(context: Pick<ControllerContext, "clock">, control: StatefulPodControl) {
  const { clock } = context;

  return async (set: StatefulSet, pods: readonly Pod[], templates: StatefulTemplates): Promise<void> => {
    const look = lookAt(set, pods, templates, clock.now());
    if (await fill(control, look)) return;
    for (const pod of look.condemned) await control.ownClaims(set, pod);
    if (await condemn(control, look)) return;
    if (set.spec?.updateStrategy?.type !== "OnDelete") await update(control, look, templates.update.revision);
  };
}

function lookAt(set: StatefulSet, pods: readonly Pod[], templates: StatefulTemplates, now: number): Look {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, identityOf(pod).name), pod]));
  const replicas = Array.from({ length: replicasOf(set) }, (_, index) => {
    const ordinal = startOrdinal(set) + index;
    const pod = byOrdinal.get(ordinal);
    return pod === undefined ? { pod: buildPod(set, templates, ordinal), made: false } : { pod, made: true };
  });
  const condemned = [...byOrdinal]
    .filter(([ordinal]) => !isInRange(set, ordinal))
    .sort(([a], [b]) => b - a)
    .map(([, pod]) => pod);
  return { set, replicas, condemned, monotonic: set.spec?.podManagementPolicy !== "Parallel", now };
}

/** True: nothing more in this look. */
async function fill(control: StatefulPodControl, look: Look): Promise<boolean> {
  const { set, replicas, monotonic } = look;
  if (!monotonic) {
    const ended = await Promise.all(replicas.map((replica) => fillOne(control, look, replica)));
    // A failed pod is replaced when it is gone; the others go on meanwhile.
    return ended.includes("failed");
  }
  for (const replica of replicas) {
    const state = await fillOne(control, look, replica);
    if (state !== "settled") return true;
    const { pod } = replica;
    if (isBeingDeleted(pod) || !isRunningAndReady(pod) || !isAvailable(set, pod, look.now)) return true;
    await control.ownClaims(set, pod);
  }
  return false;
}

async function fillOne(
  control: StatefulPodControl,
  { set, monotonic }: Look,
  { pod, made }: Look["replicas"][number],
): Promise<"settled" | "made" | "failed"> {
  if (!made) {
    await control.create(set, pod);
    return "made";
  }
  if (isFinished(pod)) {
    if (!isBeingDeleted(pod)) await control.remove(set, pod);
    return "failed";
  }
  if (pod.status?.phase === "Pending") await control.createClaims(set, pod);
  if (!monotonic) await control.ownClaims(set, pod);
  return "settled";
}

async function condemn(
  control: StatefulPodControl,
  { set, replicas, condemned, monotonic, now }: Look,
): Promise<boolean> {
  if (!monotonic) {
    const going = condemned.filter((pod) => !isBeingDeleted(pod));
    await Promise.all(going.map((pod) => control.remove(set, pod)));
    return going.length > 0;
  }
  const all = [...replicas.map(({ pod }) => pod), ...[...condemned].reverse()];
  const firstSick = all.find((pod) => !isHealthy(set, pod, now));
  for (const pod of condemned) {
    if (isBeingDeleted(pod)) return true;
    if (!isHealthy(set, pod, now) && pod !== firstSick) return true;
    await control.remove(set, pod);
    return true;
  }
  return false;
}

function isHealthy(set: StatefulSet, pod: Pod, now: number): boolean {
  return !isBeingDeleted(pod) && isRunningAndReady(pod) && isAvailable(set, pod, now);
}

async function update(control: StatefulPodControl, { set, replicas, now }: Look, revision: string): Promise<void> {
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  for (const { pod } of replicas.slice(partition).reverse()) {
    if (labelsOf(pod)[REVISION_HASH] !== revision && !isBeingDeleted(pod)) return control.remove(set, pod);
    if (!isHealthy(set, pod, now)) return;
  }
}
