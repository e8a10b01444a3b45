// What a node's conditions mean for pods: taints, written by nobody else. Pure.
import type { Node, Taint } from "#api/kubernetes/gen/types";
import { kubeTime } from "../objects/object-meta.ts";

const NOT_READY = "node.kubernetes.io/not-ready";
const UNREACHABLE = "node.kubernetes.io/unreachable";

/** Condition, its value, and the key of the taint that keeps new pods away while it holds. */
const REPELLING: readonly (readonly [string, string, string])[] = [
  ["Ready", "False", NOT_READY],
  ["Ready", "Unknown", UNREACHABLE],
  ["MemoryPressure", "True", "node.kubernetes.io/memory-pressure"],
  ["DiskPressure", "True", "node.kubernetes.io/disk-pressure"],
  ["NetworkUnavailable", "True", "node.kubernetes.io/network-unavailable"],
  ["PIDPressure", "True", "node.kubernetes.io/pid-pressure"],
];
const UNSCHEDULABLE = "node.kubernetes.io/unschedulable";
const OURS = new Set([...REPELLING.map(([, , key]) => key), UNSCHEDULABLE]);

/** The node's taints as its conditions want them; undefined when they are so already. */
export function taintsFor(node: Node, now: number): Taint[] | undefined {
  const before = node.spec?.taints ?? [];
  const wanted = wantedTaints(node);
  const isWanted = (taint: Taint) => wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect);
  const kept = before.filter((taint) => !isOurs(taint) || isWanted(taint));
  const missing = wanted.filter(
    (taint) => !kept.some(({ key, effect }) => key === taint.key && effect === taint.effect),
  );
  if (missing.length === 0 && kept.length === before.length) return undefined;
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded: kubeTime(now) }))];
}

function isOurs({ key, effect }: Taint): boolean {
  if (effect === "NoSchedule") return OURS.has(key);
  return effect === "NoExecute" && (key === NOT_READY || key === UNREACHABLE);
}

function wantedTaints({ spec, status }: Node): Taint[] {
  const holds = (type: string, value: string) =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === value) === true;
  const repelling = REPELLING.filter(([type, value]) => holds(type, value)).map(([, , key]) => key);
  const noSchedule = [...repelling, ...(spec?.unschedulable === true ? [UNSCHEDULABLE] : [])];
  const noExecute = [
    ...(holds("Ready", "False") ? [NOT_READY] : []),
    ...(holds("Ready", "Unknown") ? [UNREACHABLE] : []),
  ];
  return [
    ...noSchedule.map((key) => ({ key, effect: "NoSchedule" })),
    ...noExecute.map((key) => ({ key, effect: "NoExecute" })),
  ];
}
