// Completions of workloads that depend on more than one field.
import type { JsonObject } from "../contract.ts";
import { deepEqual, ensureObject, isObject, objectAt, objectsAt, stringAt } from "../json.ts";

const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** A Job selects its pods by its own uid. What a Job leaves out is filled in here: the Jobs of a CronJob stay as written. */
export function prepareJob(job: JsonObject): void {
  const spec = ensureObject(job, "spec");
  if (spec["completions"] === undefined && spec["parallelism"] === undefined) spec["completions"] = 1;
  spec["parallelism"] ??= 1;
  spec["backoffLimit"] ??= spec["backoffLimitPerIndex"] === undefined ? 6 : 2 ** 31 - 1;
  spec["completionMode"] ??= "NonIndexed";
  spec["suspend"] ??= false;
  spec["manualSelector"] ??= false;
  spec["podReplacementPolicy"] ??= spec["podFailurePolicy"] === undefined ? "TerminatingOrFailed" : "Failed";
  const template = ensureObject(spec, "template");
  if (spec["manualSelector"] !== true) selectByUid(job, spec, template);
}

function selectByUid(job: JsonObject, spec: JsonObject, template: JsonObject): void {
  const uid = stringAt(job, "metadata", "uid");
  const name = stringAt(job, "metadata", "name");
  const selector = ensureObject(ensureObject(spec, "selector"), "matchLabels");
  selector["batch.kubernetes.io/controller-uid"] ??= uid;
  // Labels that say something else are refused later.
  const labels = ensureObject(ensureObject(template, "metadata"), "labels");
  for (const label of ["batch.kubernetes.io/controller-uid", "controller-uid"]) labels[label] ??= uid;
  for (const label of ["batch.kubernetes.io/job-name", "job-name"]) labels[label] ??= name;
}

/** A Job that has no labels is read with those of its pods. */
export function completeJob(job: JsonObject): boolean {
  const labels = objectAt(job, "spec", "template", "metadata", "labels");
  const metadata = ensureObject(job, "metadata");
  if (Object.keys(objectAt(metadata, "labels")).length > 0) return false;
  metadata["labels"] = { ...labels };
  return Object.keys(labels).length > 0;
}

/** Counts the templates that a DaemonSet has had: its pods carry the number. */
export function prepareDaemonSet(set: JsonObject, old?: JsonObject): void {
  const annotations = ensureObject(ensureObject(set, "metadata"), "annotations");
  const before = Number(stringAt(old, "metadata", "annotations", TEMPLATE_GENERATION)) || 0;
  const changed = old === undefined || !deepEqual(objectAt(set, "spec", "template"), objectAt(old, "spec", "template"));
  annotations[TEMPLATE_GENERATION] = String(changed ? before + 1 : before);
}

/** A claim is pending until it is bound. */
export function prepareClaim(claim: JsonObject): void {
  claim["status"] = { phase: "Pending" };
  completeSources(objectAt(claim, "spec"));
}

export function prepareClaimUpdate(claim: JsonObject, old: JsonObject): void {
  completeSources(objectAt(claim, "spec"), objectAt(old, "spec"));
}

const isClaim = (source: JsonObject) =>
  stringAt(source, "kind") === "PersistentVolumeClaim" && stringAt(source, "apiGroup") === "";
const isSnapshot = (source: JsonObject) =>
  stringAt(source, "kind") === "VolumeSnapshot" && stringAt(source, "apiGroup") === "snapshot.storage.k8s.io";

/** Either of the two fields says where data comes from, and the other repeats it. Other namespaces are not asked. */
function completeSources(spec: JsonObject, old: JsonObject = {}): void {
  if (stringAt(spec, "dataSourceRef", "namespace") !== "" && old["dataSourceRef"] === undefined)
    delete spec["dataSourceRef"];
  const known = old["dataSource"] !== undefined || old["dataSourceRef"] !== undefined;
  const [source, reference] = [spec["dataSource"], spec["dataSourceRef"]];
  if (reference === undefined && isObject(source)) {
    if (known || isClaim(source) || isSnapshot(source)) spec["dataSourceRef"] = { ...source };
    else delete spec["dataSource"];
  } else if (isObject(reference) && source === undefined && stringAt(reference, "namespace") === "") {
    const { namespace: _, ...local } = reference;
    spec["dataSource"] = local;
  }
}

/** Claims in a StatefulSet are written whole. */
export function prepareStatefulSet(set: JsonObject): void {
  for (const claim of objectsAt(set, "spec", "volumeClaimTemplates")) {
    claim["apiVersion"] = "v1";
    claim["kind"] = "PersistentVolumeClaim";
    claim["status"] = { ...objectAt(claim, "status"), phase: stringAt(claim, "status", "phase") || "Pending" };
  }
}
