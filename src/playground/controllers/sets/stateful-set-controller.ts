import { Kinds } from "#api/kinds";
import type { Pod, StatefulSet } from "#api/kubernetes/gen/types";
import { matchesSelector } from "#api/kubernetes/label-selector";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { controllerOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { sameStatus, withoutZeros } from "../workloads/conditions.ts";
import { untilAvailable } from "../workloads/pod-state.ts";
import { createRevisionKeeper, type RevisionKeeper, templateOf } from "./controller-revisions.ts";
import { createStatefulPodControl } from "./stateful-pod-control.ts";
import { countPods, ordinalOf, REVISION_HASH, type StatefulTemplates } from "./stateful-pods.ts";
import { createStatefulSteps } from "./stateful-steps.ts";

/** Keeps the numbered pods of StatefulSets, one after the other, and rolls templates out over them. */
export function createStatefulSetController(context: ControllerContext): Component {
  const { caches, clock, logger, indexes } = context;
  const control = createStatefulPodControl(context);
  const step = createStatefulSteps(context, control);
  const keeper = createRevisionKeeper(context, { type: Kinds.StatefulSet, label: "controller.kubernetes.io/hash" });

  const reconcile = async (key: string) => {
    const set = caches.statefulSets.getByKey(key);
    if (set === undefined) return;
    await claim(set);
    const templates = await templatesOf(keeper, set);
    if (!isBeingDeleted(set)) await step(set, podsOf(set), templates);
    await writeStatus(key, templates);
  };

  const podsOf = (set: StatefulSet): Pod[] =>
    indexes.podsByOwner.get(identityOf(set).uid).filter((pod) => ordinalOf(set, identityOf(pod).name) >= 0);

  const claim = async (set: StatefulSet) => {
    if (isBeingDeleted(set)) return;
    const { namespace } = identityOf(set);
    const strays = indexes.orphanPods.get(namespace).filter((pod) => adoptable(set, pod));
    await Promise.all(strays.map((pod) => control.adopt(set, pod)));
  };

  const writeStatus = async (key: string, templates: StatefulTemplates) => {
    const set = caches.statefulSets.getByKey(key);
    if (set === undefined) return;
    const revisions = { current: templates.current.revision, update: templates.update.revision };
    const pods = podsOf(set);
    const now = clock.now();
    const status = withoutZeros(countPods(set, pods, revisions, now), [
      "replicas",
      "availableReplicas",
      "collisionCount",
    ]);
    const waits = pods
      .map((pod) => untilAvailable(pod, set.spec?.minReadySeconds ?? 0, now) ?? 0)
      .filter((ms) => ms > 0);
    if (waits.length > 0) queue.addAfter(key, Math.min(...waits));
    if (!sameStatus(set.status, status)) await caches.statefulSets.replace({ ...set, status }, "status");
    const used = pods.map((pod) => labelsOf(pod)[REVISION_HASH] ?? "");
    await keeper.truncate(set, new Set([...used, revisions.update, status.currentRevision ?? ""]));
  };

  const queue = new WorkQueue({ name: "stateful-set", clock, logger, reconcile });
  caches.statefulSets.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  caches.pods.onChange(({ object, old }) => {
    for (const pod of old === undefined ? [object] : [object, old]) {
      for (const key of interested(context, pod)) queue.add(key);
    }
  });
  return controllerComponent(queue, [
    caches.statefulSets,
    caches.pods,
    caches.controllerRevisions,
    caches.persistentVolumeClaims,
  ]);
}

async function templatesOf(keeper: RevisionKeeper, set: StatefulSet): Promise<StatefulTemplates> {
  const update = await keeper.sync(set);
  const named = keeper.revisionsOf(set).find((each) => identityOf(each).name === set.status?.currentRevision);
  const current = named ?? update;
  const fallback = set.spec?.template ?? {};
  return {
    current: { revision: identityOf(current).name, template: templateOf(current, fallback) },
    update: { revision: identityOf(update).name, template: set.spec?.template ?? {} },
  };
}

function adoptable(set: StatefulSet, pod: Pod): boolean {
  if (isBeingDeleted(pod) || ordinalOf(set, identityOf(pod).name) < 0) return false;
  return set.spec !== undefined && matchesSelector(set.spec.selector, labelsOf(pod));
}

function interested({ caches }: ControllerContext, pod: Pod): string[] {
  const owner = controllerOf(pod);
  const { namespace } = identityOf(pod);
  if (owner?.kind === "StatefulSet") return [`${namespace}/${owner.name}`];
  if (owner !== undefined) return [];
  return caches.statefulSets
    .inNamespace(namespace)
    .filter((set) => adoptable(set, pod))
    .map(objectKey);
}
