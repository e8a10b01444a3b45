import type { JsonObject } from "../contract.ts";
import { deepEqual, isObject, objectAt, objectsAt, stringAt } from "../json.ts";

/** A Pod begins pending, with the quality of service that its resources give it. */
export function preparePod(pod: JsonObject): void {
  const gated = objectsAt(pod, "spec", "schedulingGates").length > 0;
  const lastTransitionTime = stringAt(pod, "metadata", "creationTimestamp");
  const message = "Scheduling is blocked due to non-empty scheduling gates";
  const waits = { type: "PodScheduled", status: "False", reason: "SchedulingGated", message, lastTransitionTime };
  pod["status"] = {
    phase: "Pending",
    qosClass: qosClass(objectAt(pod, "spec")),
    ...(gated ? { conditions: [waits] } : {}),
  };
}

export function preparePodUpdate(pod: JsonObject, old: JsonObject): void {
  const status = pod["status"];
  if (isObject(status)) status["qosClass"] ??= objectAt(old, "status")["qosClass"] ?? qosClass(objectAt(old, "spec"));
}

/** Guaranteed: each container limits cpu and memory and requests as much. BestEffort: none says anything. */
export function qosClass(spec: JsonObject): string {
  const containers = [...objectsAt(spec, "containers"), ...objectsAt(spec, "initContainers")];
  const resources = containers.map((container) => objectAt(container, "resources"));
  const amounts = (of: JsonObject, which: string) =>
    Object.entries(objectAt(of, which)).filter(([name]) => name === "cpu" || name === "memory");
  if (resources.every((of) => amounts(of, "requests").length === 0 && amounts(of, "limits").length === 0)) {
    return "BestEffort";
  }
  const full = resources.every(
    (of) => amounts(of, "limits").length === 2 && deepEqual(objectAt(of, "limits"), objectAt(of, "requests")),
  );
  return full ? "Guaranteed" : "Burstable";
}
