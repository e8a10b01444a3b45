import type { JsonObject } from "../contract.ts";
import { clone, isObject, objectAt, objectsAt, setOrDelete, stringAt } from "../json.ts";
import { qosClass } from "./quality-of-service.ts";

/** A Pod begins pending, with the quality of service that its resources give it. */
export function preparePod(pod: JsonObject): void {
  const gated = objectsAt(pod, "spec", "schedulingGates").length > 0;
  const lastTransitionTime = stringAt(pod, "metadata", "creationTimestamp");
  const message = "Scheduling is blocked due to non-empty scheduling gates";
  const times = { lastProbeTime: null, lastTransitionTime };
  const waits = { type: "PodScheduled", status: "False", reason: "SchedulingGated", message, ...times };
  pod["status"] = {
    phase: "Pending",
    qosClass: qosClass(objectAt(pod, "spec")),
    ...(gated ? { conditions: [waits] } : {}),
  };
}

export function preparePodUpdate(pod: JsonObject, old: JsonObject, { door }: { readonly door: string }): void {
  if (door === "ephemeralcontainers") keepAllBut(pod, old, ["ephemeralContainers"]);
  if (door === "resize") keepAllButResources(pod, old);
  const status = pod["status"];
  if (isObject(status)) status["qosClass"] ??= objectAt(old, "status")["qosClass"] ?? qosClass(objectAt(old, "spec"));
}

const KEPT_METADATA = ["deletionTimestamp", "generation", "labels", "annotations", "finalizers", "ownerReferences"];

/** Puts everything back as it was but some fields of the spec. */
function keepAllBut(pod: JsonObject, old: JsonObject, changeable: readonly string[]): void {
  const metadata = { ...objectAt(pod, "metadata") };
  for (const field of KEPT_METADATA) setOrDelete(metadata, field, objectAt(old, "metadata")[field]);
  pod["metadata"] = metadata;
  setOrDelete(pod, "status", clone(old["status"] ?? {}));
  const spec = clone(objectAt(old, "spec"));
  for (const field of changeable) setOrDelete(spec, field, objectAt(pod, "spec")[field]);
  pod["spec"] = spec;
}

const CONTAINER_LISTS = ["containers", "initContainers"];

/** Containers that are added, taken away, renamed or moved are left for validation to refuse. */
function keepAllButResources(pod: JsonObject, old: JsonObject): void {
  const lists = CONTAINER_LISTS.map(
    (list) => [list, objectsAt(pod, "spec", list), objectsAt(old, "spec", list)] as const,
  );
  if (lists.some(([, next, before]) => next.length !== before.length)) return;
  keepAllBut(pod, old, CONTAINER_LISTS);
  for (const [list, next, before] of lists) {
    const same = next.every((container, index) => container["name"] === before[index]?.["name"]);
    if (!same || next.length === 0) continue;
    objectAt(pod, "spec")[list] = before.map((container, index) => {
      const out = clone(container);
      for (const field of ["resources", "resizePolicy"]) setOrDelete(out, field, next[index]?.[field]);
      return out;
    });
  }
}
