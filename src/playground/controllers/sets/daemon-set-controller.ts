import { Kinds } from "#api/kinds";
import type { DaemonSet, DaemonSetStatus, Node, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Component } from "#base/component";
import { errorMessage } from "#base/mesh-error";
import { WorkQueue } from "#kube/work-queue";
import { type ControllerContext, controllerComponent } from "../controller.ts";
import { controllerOf, identityOf, isBeingDeleted, labelsOf } from "../objects/object-meta.ts";
import { sameStatus, withoutZeros } from "../workloads/conditions.ts";
import { createRevisionKeeper } from "./controller-revisions.ts";
import {
  buildDaemonPod,
  byAge,
  countDaemons,
  type DaemonLook,
  hashOn,
  nodeOf,
  pairOn,
  placementOn,
} from "./daemon-pods.ts";
import { maxSurgeOf, planDaemonUpdate } from "./daemon-rollout.ts";
import { REVISION_HASH } from "./stateful-pods.ts";

const SOURCE = "daemonset-controller";

/** Keeps one pod of a DaemonSet on every node that it asks for and tolerates, and rolls templates out over them. */
export function createDaemonSetController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const keeper = createRevisionKeeper(context, { type: Kinds.DaemonSet, label: REVISION_HASH });
  const control = createDaemonControl(context);

  const reconcile = async (key: string) => {
    const set = caches.daemonSets.getByKey(key);
    if (set === undefined || isBeingDeleted(set)) return;
    const revision = await keeper.sync(set);
    const hash = labelsOf(revision)[REVISION_HASH] ?? "";
    if (await control.manage(lookAt(context, set, hash))) return writeStatus(key, hash);
    const rolling = set.spec?.updateStrategy?.type !== "OnDelete";
    if (rolling) await control.change(set, planDaemonUpdate(lookAt(context, set, hash)), hash);
    const look = lookAt(context, set, hash);
    const used = [...look.pods.values()].flat().map((pod) => `${identityOf(set).name}-${hashOn(pod)}`);
    await keeper.truncate(set, new Set([...used, identityOf(revision).name]));
    await writeStatus(key, hash);
  };

  const writeStatus = async (key: string, hash: string) => {
    const set = caches.daemonSets.getByKey(key);
    if (set === undefined) return;
    const counts = countDaemons(lookAt(context, set, hash));
    const status: DaemonSetStatus = withoutZeros(
      {
        currentNumberScheduled: counts.current,
        desiredNumberScheduled: counts.desired,
        numberMisscheduled: counts.misscheduled,
        numberReady: counts.ready,
        numberAvailable: counts.available,
        numberUnavailable: counts.desired - counts.available,
        updatedNumberScheduled: counts.updated,
        observedGeneration: set.metadata?.generation ?? 0,
      },
      ["currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"],
    );
    const minReadySeconds = set.spec?.minReadySeconds ?? 0;
    if (minReadySeconds > 0 && counts.ready !== counts.available) queue.addAfter(key, minReadySeconds * 1000);
    if (!sameStatus(set.status, status)) await caches.daemonSets.replace({ ...set, status }, "status");
  };

  const queue = new WorkQueue({ name: "daemon-set", clock, logger, reconcile });
  caches.daemonSets.onChange(({ object, deleted }) => {
    if (!deleted) queue.add(objectKey(object));
  });
  caches.pods.onChange(({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === "DaemonSet") queue.add(`${identityOf(object).namespace}/${owner.name}`);
  });
  caches.nodes.onChange(({ object, old, deleted }) => {
    if (!deleted && old !== undefined && nodeView(object) === nodeView(old)) return;
    for (const set of caches.daemonSets.all()) queue.add(objectKey(set));
  });
  return controllerComponent(queue, [caches.daemonSets, caches.pods, caches.nodes, caches.controllerRevisions]);
}

/** What of a node decides whether daemons run there. */
function nodeView({ metadata, spec }: Node): string {
  return JSON.stringify([metadata?.labels, spec?.taints]);
}

function lookAt({ caches, indexes, clock }: ControllerContext, set: DaemonSet, hash: string): DaemonLook {
  const pods = new Map<string, Pod[]>();
  for (const pod of indexes.podsByOwner.get(identityOf(set).uid)) {
    const onNode = pods.get(nodeOf(pod)) ?? [];
    pods.set(nodeOf(pod), onNode);
    onNode.push(pod);
  }
  return { set, nodes: [...caches.nodes.all()], pods, hash, now: clock.now() };
}

function createDaemonControl({ caches, events, clock }: ControllerContext) {
  const tell = (set: DaemonSet, type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(SOURCE, { type: Kinds.DaemonSet, object: set }, { type, reason, message });
  /** When the last failed pod of a set was removed from a node: not again at once. */
  const removedFailed = new Map<string, number>();

  const create = async (set: DaemonSet, hash: string, node: string) => {
    try {
      const pod = await caches.pods.create(buildDaemonPod(set, hash, node));
      tell(set, "Normal", "SuccessfulCreate", `Created pod: ${identityOf(pod).name}`);
    } catch (thrown) {
      tell(set, "Warning", "FailedCreate", `Error creating: ${errorMessage(thrown)}`);
      throw thrown;
    }
  };

  const remove = async (set: DaemonSet, pod: Pod) => {
    await caches.pods.delete(pod);
    tell(set, "Normal", "SuccessfulDelete", `Deleted pod: ${identityOf(pod).name}`);
  };

  const change = async (
    set: DaemonSet,
    changes: { create: readonly string[]; remove: readonly Pod[] },
    hash: string,
  ) => {
    await Promise.all([
      ...changes.create.map((node) => create(set, hash, node)),
      ...changes.remove.map((pod) => remove(set, pod)),
    ]);
    return changes.create.length + changes.remove.length > 0;
  };

  /** Ended pods make room for new ones; how often, grows slower than they can fail. */
  const ended = (set: DaemonSet, node: string, pods: readonly Pod[]): Pod[] =>
    pods.filter((pod) => {
      const { namespace, name, uid } = identityOf(pod);
      if (isBeingDeleted(pod)) return false;
      if (pod.status?.phase === "Succeeded") {
        tell(
          set,
          "Normal",
          "SucceededDaemonPod",
          `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
        );
        return true;
      }
      if (pod.status?.phase !== "Failed") return false;
      const key = `${identityOf(set).uid} ${node}`;
      if (clock.now() - (removedFailed.get(key) ?? 0) < 1000 && uid !== "") return false;
      removedFailed.set(key, clock.now());
      tell(
        set,
        "Warning",
        "FailedDaemonPod",
        `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
      );
      return true;
    });

  return {
    change,
    /** One pod where one belongs, none elsewhere. True when something was changed. */
    manage(look: DaemonLook): Promise<boolean> {
      const { set, nodes, pods, hash } = look;
      const surges = maxSurgeOf(look) > 0;
      const changes: { create: string[]; remove: Pod[] } = { create: [], remove: [] };
      const known = new Set(nodes.map((node) => identityOf(node).name));
      for (const node of nodes) {
        const { name } = identityOf(node);
        const onNode = pods.get(name);
        const { runs, stays } = placementOn(set, node);
        if (runs && onNode === undefined) changes.create.push(name);
        else if (!stays) changes.remove.push(...(onNode ?? []).filter((pod) => !isBeingDeleted(pod)));
        else if (onNode !== undefined) {
          const gone = ended(set, name, onNode);
          const living = onNode.filter((pod) => !isBeingDeleted(pod) && !gone.includes(pod)).sort(byAge);
          changes.remove.push(...gone, ...excess(living, surges, hash));
          if (surges && runs && living.length === 0 && gone.length === 0) changes.create.push(name);
        }
      }
      for (const [name, onNode] of pods) {
        if (!known.has(name))
          changes.remove.push(...onNode.filter((pod) => !isBeingDeleted(pod) && !pod.spec?.nodeName));
      }
      return change(set, changes, hash);
    },
  };
}

/** All but the oldest; with surge, one of each revision may stand beside the other. */
function excess(living: readonly Pod[], surges: boolean, hash: string): Pod[] {
  if (!surges) return living.slice(1);
  if (pairOn(living, hash) !== undefined) return [];
  const keep = [living.find((pod) => hashOn(pod) === hash), living.find((pod) => hashOn(pod) !== hash)];
  return living.filter((pod) => !keep.includes(pod));
}
