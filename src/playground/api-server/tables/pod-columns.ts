// A pod's row: its status sums up the states of its containers as kubectl users know it.
import type { JsonObject } from "../contract.ts";
import { numberAt, objectAt, objectsAt, stringAt, valueAt } from "../json.ts";
import { ageColumn, type Column, nameColumn, textColumn } from "./column.ts";
import { age } from "./durations.ts";

const isReady = (status: JsonObject) => status["ready"] === true;
const inState = (status: JsonObject, state: string) => valueAt(status, "state", state) !== undefined;

/** `Error`, `ExitCode:3`, `Signal:9` or the reason that is given. */
function endReason(status: JsonObject): string {
  const terminated = objectAt(status, "state", "terminated");
  const reason = stringAt(terminated, "reason");
  if (reason !== "") return reason;
  const signal = numberAt(terminated, "signal") ?? 0;
  return signal !== 0 ? `Signal:${signal}` : `ExitCode:${numberAt(terminated, "exitCode") ?? 0}`;
}

const endedWell = (status: JsonObject) => numberAt(status, "state", "terminated", "exitCode") === 0;

/** Init containers that restart always run beside the others. */
function sidecarNames(pod: JsonObject): ReadonlySet<string> {
  const inits = objectsAt(pod, "spec", "initContainers");
  return new Set(inits.filter((one) => one["restartPolicy"] === "Always").map((one) => stringAt(one, "name")));
}

/** How far the init containers are; `reason` is undefined when all are done. */
interface Initializing {
  readonly reason: string | undefined;
  /** Of those that were looked at, which ends with the first that is not done. */
  readonly statuses: readonly JsonObject[];
  readonly readySidecars: number;
}

function initializing(pod: JsonObject): Initializing {
  const all = objectsAt(pod, "status", "initContainerStatuses");
  const sidecars = sidecarNames(pod);
  let readySidecars = 0;
  for (const [index, status] of all.entries()) {
    if (endedWell(status)) continue;
    if (sidecars.has(stringAt(status, "name")) && status["started"] === true) {
      if (isReady(status)) readySidecars++;
      continue;
    }
    const reason = `Init:${unfinished(pod, status, index)}`;
    return { reason, statuses: all.slice(0, index + 1), readySidecars };
  }
  return { reason: undefined, statuses: all, readySidecars };
}

function unfinished(pod: JsonObject, status: JsonObject, index: number): string {
  if (inState(status, "terminated")) return endReason(status);
  const waiting = stringAt(status, "state", "waiting", "reason");
  if (waiting !== "" && waiting !== "PodInitializing") return waiting;
  return `${index}/${objectsAt(pod, "spec", "initContainers").length}`;
}

/** What the containers say; `base` when none of them says anything. */
function containerReason(pod: JsonObject, base: string): string {
  let reason = base;
  let running = false;
  let error = "";
  for (const status of objectsAt(pod, "status", "containerStatuses").reverse()) {
    const waiting = stringAt(status, "state", "waiting", "reason");
    if (waiting !== "") reason = waiting;
    else if (inState(status, "terminated")) {
      reason = endReason(status);
      if (!endedWell(status)) error = reason;
    } else if (isReady(status) && inState(status, "running")) running = true;
  }
  if (reason !== "Completed") return reason;
  if (running && isTrueCondition(pod, "Ready")) return "Running";
  return error || (running ? "NotReady" : reason);
}

const isTrueCondition = (pod: JsonObject, type: string) =>
  objectsAt(pod, "status", "conditions").some((one) => one["type"] === type && one["status"] === "True");

function baseReason(pod: JsonObject): string {
  const gated = objectsAt(pod, "status", "conditions").some(
    (one) => one["type"] === "PodScheduled" && one["reason"] === "SchedulingGated",
  );
  return gated ? "SchedulingGated" : stringAt(pod, "status", "reason") || stringAt(pod, "status", "phase");
}

/** Only then do the containers count. */
const isInitialized = (pod: JsonObject, { reason }: Initializing) =>
  reason === undefined || isTrueCondition(pod, "Initialized");

/** The STATUS column. */
export function podStatus(pod: JsonObject): string {
  const init = initializing(pod);
  const before = init.reason ?? baseReason(pod);
  const reason = isInitialized(pod, init) ? containerReason(pod, before) : before;
  if (stringAt(pod, "metadata", "deletionTimestamp") === "") return reason;
  if (stringAt(pod, "status", "reason") === "NodeLost") return "Unknown";
  const phase = stringAt(pod, "status", "phase");
  return phase === "Succeeded" || phase === "Failed" ? reason : "Terminating";
}

function readyText(pod: JsonObject): string {
  const total = objectsAt(pod, "spec", "containers").length + sidecarNames(pod).size;
  const init = initializing(pod);
  const counted = isInitialized(pod, init) ? objectsAt(pod, "status", "containerStatuses").filter(isServing) : [];
  return `${init.readySidecars + counted.length}/${total}`;
}

function isServing(status: JsonObject): boolean {
  const waits = stringAt(status, "state", "waiting", "reason") !== "";
  return !waits && !inState(status, "terminated") && inState(status, "running") && isReady(status);
}

/** `3 (5s ago)`. */
function restarts(pod: JsonObject): string {
  const init = initializing(pod);
  const sidecars = sidecarNames(pod);
  const statuses = isInitialized(pod, init)
    ? [
        ...init.statuses.filter((one) => sidecars.has(stringAt(one, "name"))),
        ...objectsAt(pod, "status", "containerStatuses"),
      ]
    : init.statuses;
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
  textColumn("IP", (pod) => stringAt(objectsAt(pod, "status", "podIPs")[0], "ip") || "<none>", 1),
  textColumn("Node", (pod) => stringAt(pod, "spec", "nodeName") || "<none>", 1),
  textColumn("Nominated Node", (pod) => stringAt(pod, "status", "nominatedNodeName") || "<none>", 1),
  textColumn("Readiness Gates", readinessGates, 1),
];

const ENDS: Readonly<Record<string, string>> = {
  Succeeded: "The pod has completed successfully.",
  Failed: "The pod failed.",
};

/** What a row says of a pod that is over. */
export function podRowConditions(pod: JsonObject): JsonObject {
  const reason = stringAt(pod, "status", "phase");
  const message = ENDS[reason];
  if (message === undefined) return {};
  return { conditions: [{ type: "Completed", status: "True", reason, message }] };
}
