// What may still change of a Job.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { clone, deepEqual, isObject, objectAt, stringAt } from "../json.ts";
import { IMMUTABLE, invalid } from "./field-errors.ts";
import { internalForm } from "./internal-form.ts";
import { checkWholeSpec } from "./jobs.ts";
import { shownSelector } from "./label-selectors.ts";

const FIXED = ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"];

/** Beyond checkJob. */
export function checkJobUpdate(job: JsonObject, old: JsonObject): FieldError[] {
  const [spec, before] = [objectAt(job, "spec"), objectAt(old, "spec")];
  const fixed = (field: string, shown: JsonValue | undefined = spec[field]) =>
    deepEqual(spec[field], before[field]) ? [] : [invalid(`spec.${field}`, shown, IMMUTABLE)];
  return [
    ...checkWholeSpec(spec),
    ...checkCompletions(spec, before),
    ...fixed("selector", shownSelector(spec["selector"])),
    ...checkTemplate(spec, before, old),
    ...FIXED.flatMap((field) => fixed(field, shownPolicy(field, spec[field]))),
  ];
}

/** Policies with Go's names. */
function shownPolicy(field: string, value: JsonValue | undefined): JsonValue | undefined {
  if (!isObject(value)) return value;
  const rules = value["rules"];
  const each = field === "successPolicy" ? shownSuccess : shownFailure;
  return { Rules: Array.isArray(rules) ? rules.map((rule) => each(objectAt(rule))) : null };
}

const shownSuccess = (rule: JsonObject): JsonObject => ({
  SucceededIndexes: rule["succeededIndexes"] ?? null,
  SucceededCount: rule["succeededCount"] ?? null,
});

function shownFailure(rule: JsonObject): JsonObject {
  const { onExitCodes: codes, onPodConditions: conditions } = rule;
  return {
    Action: stringAt(rule, "action"),
    OnExitCodes: isObject(codes)
      ? {
          ContainerName: codes["containerName"] ?? null,
          Operator: stringAt(codes, "operator"),
          Values: codes["values"] ?? null,
        }
      : null,
    OnPodConditions: Array.isArray(conditions)
      ? conditions.map((one) => ({ Type: stringAt(one, "type"), Status: stringAt(one, "status") }))
      : null,
  };
}

function checkCompletions(spec: JsonObject, before: JsonObject): FieldError[] {
  const [next, former] = [spec["completions"], before["completions"]];
  if (next === former) return [];
  if (spec["completionMode"] !== "Indexed") return [invalid("spec.completions", next, IMMUTABLE)];
  if (next === undefined || next === spec["parallelism"]) return [];
  return [invalid("spec.completions", next, "can only be modified in tandem with spec.parallelism")];
}

/** An affinity without anything is none. */
function dropNodeAffinity(pod: JsonObject): void {
  const affinity = objectAt(pod, "affinity");
  delete affinity["nodeAffinity"];
  if (Object.keys(affinity).length === 0) delete pod["affinity"];
}

/** A suspended Job that has not begun may still be told where its pods run. */
function checkTemplate(spec: JsonObject, before: JsonObject, old: JsonObject): FieldError[] {
  const [next, former] = [clone(objectAt(spec, "template")), clone(objectAt(before, "template"))];
  if (before["suspend"] === true && stringAt(old, "status", "startTime") === "") {
    for (const template of [next, former]) {
      for (const field of ["nodeSelector", "tolerations", "schedulingGates"]) delete objectAt(template, "spec")[field];
      dropNodeAffinity(objectAt(template, "spec"));
      for (const field of ["annotations", "labels"]) delete objectAt(template, "metadata")[field];
    }
  }
  const shown = internalForm("PodTemplateSpec", objectAt(spec, "template"));
  return deepEqual(next, former) ? [] : [invalid("spec.template", shown, IMMUTABLE)];
}
