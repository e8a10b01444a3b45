// A DaemonSet's rolling update: which old pods go, or with surge, which nodes get a second pod. Pure.
import type { IntOrString, Pod } from "#api/kubernetes/gen/types";
import { identityOf } from "../objects/object-meta.ts";
import { type DaemonLook, isDaemonAvailable, pairOn, placementOn } from "./daemon-pods.ts";

export interface DaemonChanges {
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
}

function resolve(value: IntOrString | undefined, total: number, fallback: number): number {
  if (value === undefined) return fallback;
  if (typeof value === "number") return value;
  return Math.ceil((Number.parseInt(value, 10) * total) / 100) || 0;
}

export function maxSurgeOf({ set, nodes }: DaemonLook): number {
  const desired = nodes.filter((node) => placementOn(set, node).runs).length;
  return resolve(set.spec?.updateStrategy?.rollingUpdate?.maxSurge, desired, 0);
}

export function planDaemonUpdate(look: DaemonLook): DaemonChanges {
  const { set, nodes } = look;
  const desired = nodes.filter((node) => placementOn(set, node).runs).length;
  const surge = maxSurgeOf(look);
  if (surge > 0) return planSurge(look, surge);
  const maxUnavailable = resolve(set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable, desired, 1);
  return planReplacement(look, maxUnavailable === 0 ? 1 : maxUnavailable);
}

function planReplacement({ set, pods, hash, now }: DaemonLook, maxUnavailable: number): DaemonChanges {
  let unavailable = 0;
  const sick: Pod[] = [];
  const candidates: Pod[] = [];
  for (const onNode of pods.values()) {
    const pair = pairOn(onNode, hash);
    if (pair === undefined || (pair.current === undefined) === (pair.old === undefined)) unavailable += 1;
    else if (pair.current !== undefined) {
      if (!isDaemonAvailable(set, pair.current, now)) unavailable += 1;
    } else if (pair.old !== undefined && !isDaemonAvailable(set, pair.old, now)) {
      sick.push(pair.old);
      unavailable += 1;
    } else if (pair.old !== undefined && unavailable < maxUnavailable) candidates.push(pair.old);
  }
  return { create: [], remove: [...sick, ...candidates.slice(0, Math.max(0, maxUnavailable - unavailable))] };
}

function planSurge({ set, nodes, pods, hash, now }: DaemonLook, maxSurge: number): DaemonChanges {
  const runsOn = new Set(nodes.filter((node) => placementOn(set, node).runs).map((node) => identityOf(node).name));
  let surging = 0;
  const remove: Pod[] = [];
  const allowed: string[] = [];
  const candidates: string[] = [];
  for (const [name, onNode] of pods) {
    const pair = pairOn(onNode, hash);
    if (pair === undefined) surging += 1;
    else if (pair.old === undefined) continue;
    else if (pair.current !== undefined) {
      if (isDaemonAvailable(set, pair.current, now)) remove.push(pair.old);
      else surging += 1;
    } else if (!runsOn.has(name)) remove.push(pair.old);
    else if (isDaemonAvailable(set, pair.old, now)) candidates.push(name);
    else allowed.push(name);
  }
  return { create: [...allowed, ...candidates.slice(0, Math.max(0, maxSurge - surging))], remove };
}
