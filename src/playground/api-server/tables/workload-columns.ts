import type { JsonObject } from "../contract.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { selectorText } from "../operations/scale.ts";
import { ageColumn, type Column, labelsText, nameColumn, numberColumn, textColumn } from "./column.ts";
import { age, shortDuration } from "./durations.ts";

const count =
  (...path: string[]) =>
  (object: JsonObject) =>
    numberAt(object, ...path) ?? 0;

const templateOf = (object: JsonObject) =>
  objectAt(object, "spec", ...(object["kind"] === "CronJob" ? ["jobTemplate", "spec"] : []), "template", "spec");

const listed = (field: string) => (object: JsonObject) =>
  objectsAt(templateOf(object), "containers")
    .map((container) => stringAt(container, field))
    .join(",");

const selectorAt =
  (...path: string[]) =>
  (object: JsonObject) =>
    selectorText(objectAt(object, ...path));
const selector = (...path: string[]) => textColumn("Selector", (object) => selectorAt(...path)(object) || "<none>", 1);
const containers = [textColumn("Containers", listed("name"), 1), textColumn("Images", listed("image"), 1)];

const readyOf = (object: JsonObject) =>
  `${count("status", "readyReplicas")(object)}/${count("spec", "replicas")(object)}`;

function jobStatus(job: JsonObject): string {
  const holds = (type: string) =>
    objectsAt(job, "status", "conditions").some((one) => one["type"] === type && one["status"] === "True");
  const end = ["Complete", "Failed"].find(holds);
  if (end !== undefined) return end;
  if (stringAt(job, "metadata", "deletionTimestamp") !== "") return "Terminating";
  return ["Suspended", "FailureTarget", "SuccessCriteriaMet"].find(holds) ?? "Running";
}

function jobDuration(job: JsonObject): string {
  const start = Date.parse(stringAt(job, "status", "startTime"));
  if (Number.isNaN(start)) return "";
  const end = Date.parse(stringAt(job, "status", "completionTime"));
  return shortDuration(((Number.isNaN(end) ? Date.now() : end) - start) / 1000);
}

function completions(job: JsonObject): string {
  const done = count("status", "succeeded")(job);
  const wanted = numberAt(job, "spec", "completions");
  if (wanted !== undefined) return `${done}/${wanted}`;
  const parallel = numberAt(job, "spec", "parallelism") ?? 0;
  return parallel > 1 ? `${done}/1 of ${parallel}` : `${done}/1`;
}

const SUSPENDED: Readonly<Record<string, string>> = { true: "True", false: "False" };

/** By `group/plural`. */
export const workloadColumns: Readonly<Record<string, readonly Column[]>> = {
  "apps/deployments": [
    nameColumn,
    textColumn("Ready", readyOf),
    textColumn("Up-to-date", count("status", "updatedReplicas")),
    textColumn("Available", count("status", "availableReplicas")),
    ageColumn,
    ...containers,
    // The one selector that is nothing when it is empty.
    textColumn("Selector", selectorAt("spec", "selector"), 1),
  ],
  "apps/replicasets": replicas(),
  "/replicationcontrollers": replicas(),
  "apps/statefulsets": [nameColumn, textColumn("Ready", readyOf), ageColumn, ...containers],
  "apps/daemonsets": [
    nameColumn,
    numberColumn("Desired", count("status", "desiredNumberScheduled")),
    numberColumn("Current", count("status", "currentNumberScheduled")),
    numberColumn("Ready", count("status", "numberReady")),
    numberColumn("Up-to-date", count("status", "updatedNumberScheduled")),
    numberColumn("Available", count("status", "numberAvailable")),
    textColumn("Node Selector", (object) => labelsText(objectAt(templateOf(object), "nodeSelector"))),
    ageColumn,
    ...containers,
    selector("spec", "selector"),
  ],
  "batch/jobs": [
    nameColumn,
    textColumn("Status", jobStatus),
    textColumn("Completions", completions),
    textColumn("Duration", jobDuration),
    ageColumn,
    ...containers,
    selector("spec", "selector"),
  ],
  "batch/cronjobs": [
    nameColumn,
    textColumn("Schedule", (job) => stringAt(job, "spec", "schedule")),
    textColumn("Timezone", (job) => stringAt(job, "spec", "timeZone") || "<none>"),
    {
      ...textColumn("Suspend", (job) => SUSPENDED[String(objectAt(job, "spec")["suspend"])] ?? "<unset>"),
      type: "boolean",
    },
    numberColumn("Active", (job) => arrayAt(job, "status", "active").length),
    textColumn("Last Schedule", (job) => lastSchedule(stringAt(job, "status", "lastScheduleTime"))),
    ageColumn,
    ...containers,
    selector("spec", "jobTemplate", "spec", "selector"),
  ],
};

function replicas(): readonly Column[] {
  return [
    nameColumn,
    numberColumn("Desired", count("spec", "replicas")),
    numberColumn("Current", count("status", "replicas")),
    numberColumn("Ready", count("status", "readyReplicas")),
    ageColumn,
    ...containers,
    selector("spec", "selector"),
  ];
}

const lastSchedule = (time: string) => (time === "" ? "<none>" : age(time));
