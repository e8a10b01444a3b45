import type { JsonObject } from "../contract.ts";
import { isObject, objectAt, objectsAt, stringAt } from "../json.ts";
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

export function preparePodUpdate(pod: JsonObject, old: JsonObject): void {
  const status = pod["status"];
  if (isObject(status)) status["qosClass"] ??= objectAt(old, "status")["qosClass"] ?? qosClass(objectAt(old, "spec"));
}
