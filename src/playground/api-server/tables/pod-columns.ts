// A pod's row: its status sums up the states of its containers as kubectl users know it.
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { ageColumn, type Column, nameColumn, textColumn } from "./column.ts";
import { age } from "./durations.ts";

const isReady = (status: JsonObject) => status["ready"] === true;

/** `Error`, `ExitCode:3`, `Signal:9` or the reason that is given. */
function endReason(terminated: JsonObject): string {
  const reason = stringAt(terminated, "reason");
  if (reason !== "") return reason;
  const signal = numberAt(terminated, "signal") ?? 0;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, "exitCode") ?? 0}`;
}

/** Init containers that restart always run beside the others. */
function sidecarNames(pod: JsonObject): ReadonlySet<string> {
  const inits = objectsAt(pod, "spec", "initContainers");
  return new Set(inits.filter((one) => one["restartPolicy"] === "Always").map((one) => stringAt(one, "name")));
}

/** What the first unfinished init container says; undefined when all are done. */
function initReason(pod: JsonObject): string | undefined {
  const statuses = objectsAt(pod, "status", "initContainerStatuses");
  const total = objectsAt(pod, "spec", "initContainers").length;
  const sidecars = sidecarNames(pod);
  for (const [index, status] of statuses.entries()) {
    const terminated = valueAt(status, "state", "terminated");
    if (numberAt(terminated, "exitCode") === 0) continue;
    if (sidecars.has(stringAt(status, "name")) && status["started"] === true) continue;
    if (terminated !== undefined) return `Init:${endReason(objectAt(status, "state", "terminated"))}`;
    const waiting = stringAt(status, "state", "waiting", "reason");
    if (waiting !== "" && waiting !== "PodInitializing") return `Init:${waiting}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

/** What the containers say; `base` when none of them says anything. */
function containerReason(pod: JsonObject, base: string): string {
  let reason = base;
  let running = false;
  for (const status of objectsAt(pod, "status", "containerStatuses").reverse()) {
    const waiting = stringAt(status, "state", "waiting", "reason");
    const terminated = valueAt(status, "state", "terminated");
    if (waiting !== "") reason = waiting;
    else if (terminated !== undefined) reason = endReason(objectAt(status, "state", "terminated"));
    else if (isReady(status) && valueAt(status, "state", "running") !== undefined) running = true;
  }
  if (reason !== "Completed" || !running) return reason;
  return isTrueCondition(pod, "Ready") ? "Running" : "NotReady";
}

const isTrueCondition = (pod: JsonObject, type: string) =>
  objectsAt(pod, "status", "conditions").some((one) => one["type"] === type && one["status"] === "True");

/** The STATUS column. */
export function podStatus(pod: JsonObject): string {
  const base = stringAt(pod, "status", "reason") || stringAt(pod, "status", "phase");
  const gated = objectsAt(pod, "status", "conditions").some(
    (one) => one["type"] === "PodScheduled" && one["reason"] === "SchedulingGated",
  );
  const reason = gated ? "SchedulingGated" : (initReason(pod) ?? containerReason(pod, base));
  if (stringAt(pod, "metadata", "deletionTimestamp") === "") return reason;
  if (stringAt(pod, "status", "reason") === "NodeLost") return "Unknown";
  const phase = stringAt(pod, "status", "phase");
  return phase === "Succeeded" || phase === "Failed" ? reason : "Terminating";
}

function shownStatuses(pod: JsonObject): JsonObject[] {
  const sidecars = sidecarNames(pod);
  const inits = objectsAt(pod, "status", "initContainerStatuses").filter((one) => sidecars.has(stringAt(one, "name")));
  return [...inits, ...objectsAt(pod, "status", "containerStatuses")];
}

function readyText(pod: JsonObject): string {
  const total = objectsAt(pod, "spec", "containers").length + sidecarNames(pod).size;
  return `${shownStatuses(pod).filter(isReady).length}/${total}`;
}

/** `3 (5s ago)`. */
function restarts(pod: JsonObject): string {
  const statuses =
    initReason(pod) === undefined ? shownStatuses(pod) : objectsAt(pod, "status", "initContainerStatuses");
  const count = statuses.reduce((sum, one) => sum + (numberAt(one, "restartCount") ?? 0), 0);
  const ends = statuses.map((one) => stringAt(one, "lastState", "terminated", "finishedAt")).sort();
  const last = ends.at(-1) ?? "";
  return count === 0 || last === "" ? String(count) : `${count} (${age(last)} ago)`;
}

function readinessGates(pod: JsonObject): string {
  const gates = objectsAt(pod, "spec", "readinessGates");
  if (gates.length === 0) return "<none>";
  return `${gates.filter((gate) => isTrueCondition(pod, stringAt(gate, "conditionType"))).length}/${gates.length}`;
}

export const podColumns: readonly Column[] = [
  nameColumn,
  textColumn("Ready", readyText),
  textColumn("Status", podStatus),
  textColumn("Restarts", restarts),
  ageColumn,
  textColumn("IP", (pod) => stringAt(pod, "status", "podIP") || "<none>", 1),
  textColumn("Node", (pod) => stringAt(pod, "spec", "nodeName") || "<none>", 1),
  textColumn("Nominated Node", (pod) => stringAt(pod, "status", "nominatedNodeName") || "<none>", 1),
  textColumn("Readiness Gates", readinessGates, 1),
];
