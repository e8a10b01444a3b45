// What a DELETE does with an object: takes it out of the store, marks it, or both, one after the other.
import { timestamp } from "../api-context.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, ensureObject, numberAt, stringAt } from "../json.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import { strategyOf } from "../strategy/strategies.ts";
import type { DeleteOptions } from "./delete-options.ts";

export interface DeletionPlan {
  /** The object as it is written first; undefined when nothing is. */
  readonly marked: JsonObject | undefined;
  /** Nothing holds the object any more. */
  readonly remove: boolean;
}

const WAITS: DeletionPlan = { marked: undefined, remove: false };

/** Pods alone are given time to end. */
export const isGraceful = (kind: ResourceKind) => storageKey(kind) === "/pods";

export function planDeletion(
  kind: ResourceKind,
  current: JsonObject,
  options: DeleteOptions,
  now: number,
): DeletionPlan {
  const next = structuredClone(current);
  const metadata = ensureObject(next, "metadata");
  const grace = isGraceful(kind) ? giveGrace(next, options, now) : undefined;
  if (grace === "pending") return WAITS;
  const changed = setFinalizers(kind, metadata, options);
  const held = arrayAt(metadata, "finalizers").length > 0;
  if (grace !== undefined) return { marked: next, remove: !held && grace === 0 };
  if (!held) return { marked: undefined, remove: true };
  const before = JSON.stringify(metadata);
  markNow(metadata, now);
  const same = !changed && JSON.stringify(metadata) === before;
  return { marked: same ? undefined : next, remove: false };
}

/** Seconds that were newly given; `pending`: earlier ones still run; undefined: there is nothing to wait for. */
function giveGrace(pod: JsonObject, options: DeleteOptions, now: number): number | "pending" | undefined {
  const metadata = ensureObject(pod, "metadata");
  const asked = options.gracePeriodSeconds;
  const since = stringAt(metadata, "deletionTimestamp");
  if (since !== "") {
    const earlier = numberAt(metadata, "deletionGracePeriodSeconds") ?? 0;
    if (earlier === 0) return undefined;
    if (asked === undefined || asked >= earlier) return "pending";
    const end = Date.parse(since) + (asked - earlier) * 1000;
    const late = end < now;
    metadata["deletionTimestamp"] = timestamp(Math.max(end, now));
    metadata["deletionGracePeriodSeconds"] = late && asked !== 0 ? 1 : asked;
    return asked;
  }
  const grace = graceOf(pod, asked);
  metadata["deletionTimestamp"] = timestamp(now + grace * 1000);
  metadata["deletionGracePeriodSeconds"] = grace;
  countGeneration(metadata);
  return grace;
}

/** Only pods on a node that still runs them are waited for. */
function graceOf(pod: JsonObject, asked: number | undefined): number {
  const phase = stringAt(pod, "status", "phase");
  if (stringAt(pod, "spec", "nodeName") === "" || phase === "Succeeded" || phase === "Failed") return 0;
  const period = asked ?? numberAt(pod, "spec", "terminationGracePeriodSeconds") ?? 0;
  return period < 0 ? 1 : period;
}

function markNow(metadata: JsonObject, now: number): void {
  const since = stringAt(metadata, "deletionTimestamp");
  if (since === "") countGeneration(metadata);
  if (since === "" || Date.parse(since) > now) metadata["deletionTimestamp"] = timestamp(now);
  metadata["deletionGracePeriodSeconds"] = 0;
}

function countGeneration(metadata: JsonObject): void {
  const generation = numberAt(metadata, "generation") ?? 0;
  if (generation > 0) metadata["generation"] = generation + 1;
}

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/** True when the garbage collector's finalizers had to change. */
function setFinalizers(kind: ResourceKind, metadata: JsonObject, options: DeleteOptions): boolean {
  const before = arrayAt(metadata, "finalizers");
  const wanted = collectorFinalizers(kind, before, options);
  const after = [...before.filter((name) => name !== ORPHAN && name !== FOREGROUND), ...wanted];
  const same = after.length === before.length && after.every((name) => before.includes(name));
  if (same) return false;
  if (after.length > 0) metadata["finalizers"] = after;
  else delete metadata["finalizers"];
  return true;
}

/** What the request says, else what the object's finalizers ask for, else what the kind does. */
function collectorFinalizers(kind: ResourceKind, present: readonly unknown[], options: DeleteOptions): string[] {
  const { collected, orphans } = strategyOf(kind);
  if (collected === false) return [];
  if (options.orphanDependents !== undefined) return options.orphanDependents ? [ORPHAN] : [];
  if (options.propagationPolicy !== "") return POLICIES[options.propagationPolicy] ?? [];
  const first = present.find((name) => name === ORPHAN || name === FOREGROUND);
  if (first !== undefined) return [String(first)];
  return orphans === true ? [ORPHAN] : [];
}

const POLICIES: Readonly<Record<string, string[]>> = { Orphan: [ORPHAN], Foreground: [FOREGROUND], Background: [] };

/** Which of the collector's finalizers a namespace gets: it never loses one without a word. */
export function namespaceFinalizers(present: readonly string[], options: DeleteOptions): string[] {
  const { orphanDependents, propagationPolicy } = options;
  const wanted = (name: string, orphan: boolean) => {
    if (orphanDependents !== undefined) return orphanDependents === orphan;
    if (propagationPolicy !== "") return POLICIES[propagationPolicy]?.includes(name) === true;
    return present.includes(name);
  };
  const own = [
    [ORPHAN, wanted(ORPHAN, true)],
    [FOREGROUND, wanted(FOREGROUND, false)],
  ] as const;
  const others = present.filter((name) => name !== ORPHAN && name !== FOREGROUND);
  return [...others, ...own.flatMap(([name, is]) => (is ? [name] : []))];
}
