import { Kinds } from "#api/kinds";
import type { DaemonSet, DaemonSetStatus, Node, Pod } from "#api/kubernetes/gen/types";
import { objectKey } from "#api/kubernetes/object";
import type { Clock } from "#base/clock";
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
/** Between two failed pods of a node that are made room for. */
const FAILED_PAUSE_MS = 1_000;

/** Keeps one pod of a DaemonSet on every node that it asks for and tolerates, and rolls templates out over them. */
export function createDaemonSetController(context: ControllerContext): Component {
  const { caches, clock, logger } = context;
  const keeper = createRevisionKeeper(context, { type: Kinds.DaemonSet, label: REVISION_HASH });
  const control = createDaemonControl(context, (set, ms) => queue.addAfter(objectKey(set), ms));

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

type Later = (set: DaemonSet, ms: number) => void;

function createDaemonControl({ caches, events, clock }: ControllerContext, later: Later) {
  const tell = (set: DaemonSet, type: "Normal" | "Warning", reason: string, message: string) =>
    events.record(SOURCE, { type: Kinds.DaemonSet, object: set }, { type, reason, message });
  const ended = createEndedFinder(clock, tell, later);

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

  return {
    change,
    /** One pod where one belongs, none elsewhere. True when something was changed. */
    manage(look: DaemonLook): Promise<boolean> {
      const surges = maxSurgeOf(look) > 0;
      const create: string[] = [];
      const remove: Pod[] = [];
      for (const node of look.nodes) {
        const plan = planNode(look, node, { surges, ended });
        if (plan.create) create.push(identityOf(node).name);
        remove.push(...plan.remove);
      }
      return change(look.set, { create, remove: [...remove, ...strays(look)] }, look.hash);
    },
  };
}

type Tell = (set: DaemonSet, type: "Normal" | "Warning", reason: string, message: string) => void;

function createEndedFinder(clock: Clock, tell: Tell, later: Later): FindEnded {
  /** When the last failed pod of a set was removed from a node: not again at once. */
  const removedFailed = new Map<string, number>();
  /** Ended pods make room for new ones; how often, grows slower than they can fail. */
  return (set, node, pods) =>
    pods.filter((pod) => {
      const { namespace, name } = identityOf(pod);
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
      if (clock.now() - (removedFailed.get(key) ?? 0) < FAILED_PAUSE_MS) {
        later(set, FAILED_PAUSE_MS);
        return false;
      }
      removedFailed.set(key, clock.now());
      tell(
        set,
        "Warning",
        "FailedDaemonPod",
        `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
      );
      return true;
    });
}

type FindEnded = (set: DaemonSet, node: string, pods: readonly Pod[]) => Pod[];

function planNode(
  { set, pods, hash }: DaemonLook,
  node: Node,
  { surges, ended }: { surges: boolean; ended: FindEnded },
): { create: boolean; remove: readonly Pod[] } {
  const { name } = identityOf(node);
  const onNode = pods.get(name);
  const { runs, stays } = placementOn(set, node);
  if (onNode === undefined) return { create: runs, remove: [] };
  if (!stays) return { create: false, remove: onNode.filter((pod) => !isBeingDeleted(pod)) };
  const gone = ended(set, name, onNode);
  const living = onNode.filter((pod) => !isBeingDeleted(pod) && !gone.includes(pod)).sort(byAge);
  const create = surges && runs && living.length === 0 && gone.length === 0;
  return { create, remove: [...gone, ...excess(living, surges, hash)] };
}

/** Pods that wait for a node that is no more. */
function strays({ nodes, pods }: DaemonLook): Pod[] {
  const known = new Set(nodes.map((node) => identityOf(node).name));
  const lost = [...pods].filter(([name]) => !known.has(name)).flatMap(([, onNode]) => onNode);
  return lost.filter((pod) => !isBeingDeleted(pod) && !pod.spec?.nodeName);
}

/** All but the oldest; with surge, one of each revision may stand beside the other. */
function excess(living: readonly Pod[], surges: boolean, hash: string): Pod[] {
  if (!surges) return living.slice(1);
  if (pairOn(living, hash) !== undefined) return [];
  const keep = [living.find((pod) => hashOn(pod) === hash), living.find((pod) => hashOn(pod) !== hash)];
  return living.filter((pod) => !keep.includes(pod));
}
