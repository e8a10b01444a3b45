// The arithmetic of a rolling update, without objects: how many replicas each ReplicaSet should ask for next.
import type { Deployment, IntOrString } from "#api/kubernetes/gen/types";

export interface ReplicaCounts {
  /** What the ReplicaSet asks for. */
  readonly desired: number;
  /** Its available pods. */
  readonly available: number;
}

export interface RolloutBounds {
  readonly replicas: number;
  /** Pods that may exist above `replicas`. */
  readonly maxSurge: number;
  /** Pods that may be missing below `replicas`. */
  readonly maxUnavailable: number;
}

export interface RolloutStep {
  readonly current: number;
  /** In the order given. */
  readonly old: number[];
}

/** Reads the bounds of a Deployment. Percentages round up for surge and down for unavailable; never both zero. */
export function rolloutBounds(deployment: Deployment): RolloutBounds {
  const replicas = deployment.spec?.replicas ?? 1;
  const strategy = deployment.spec?.strategy;
  if (strategy?.type === "Recreate") return { replicas, maxSurge: 0, maxUnavailable: 0 };
  const maxSurge = resolve(strategy?.rollingUpdate?.maxSurge ?? "25%", replicas, Math.ceil);
  const maxUnavailable = resolve(strategy?.rollingUpdate?.maxUnavailable ?? "25%", replicas, Math.floor);
  const both = maxSurge === 0 && maxUnavailable === 0;
  return { replicas, maxSurge, maxUnavailable: Math.min(replicas, both ? 1 : maxUnavailable) };
}

function resolve(value: IntOrString, total: number, round: (value: number) => number): number {
  if (typeof value === "number") return value;
  const percent = /^(\d+)%$/.exec(value)?.[1];
  return percent === undefined ? 0 : round((Number(percent) * total) / 100);
}

/**
 * One step towards all replicas in the current ReplicaSet: it grows as far as the surge allows; the old ones, oldest
 * first, give up unavailable pods, then as many available ones as may be missing.
 */
export function planRollingUpdate(
  bounds: RolloutBounds,
  current: ReplicaCounts,
  old: readonly ReplicaCounts[],
): RolloutStep {
  const total = current.desired + sum(old.map((counts) => counts.desired));
  return { current: growCurrent(bounds, current, total), old: shrinkOld(bounds, current, old) };
}

function growCurrent({ replicas, maxSurge }: RolloutBounds, { desired }: ReplicaCounts, total: number): number {
  if (desired >= replicas) return replicas;
  const room = Math.max(0, replicas + maxSurge - total);
  return desired + Math.min(room, replicas - desired);
}

function shrinkOld(bounds: RolloutBounds, current: ReplicaCounts, old: readonly ReplicaCounts[]): number[] {
  const minAvailable = bounds.replicas - bounds.maxUnavailable;
  const total = current.desired + sum(old.map((counts) => counts.desired));
  const currentMissing = Math.max(0, current.desired - current.available);
  let mayGo = Math.max(0, total - minAvailable - currentMissing);
  if (mayGo === 0) return old.map(({ desired }) => desired);
  const healthy = old.map(({ desired, available }) => {
    const cut = Math.min(mayGo, Math.max(0, desired - available));
    mayGo -= cut;
    return desired - cut;
  });
  const available = current.available + sum(old.map((counts) => counts.available));
  let spare =
    mayGo === 0 && healthy.every((desired, at) => desired === old[at]?.desired)
      ? 0
      : Math.max(0, available - minAvailable);
  return healthy.map((desired) => {
    const cut = Math.min(spare, desired);
    spare -= cut;
    return desired - cut;
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
