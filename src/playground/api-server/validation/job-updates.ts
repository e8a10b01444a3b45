// What may still change of a Job.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { clone, deepEqual, objectAt, stringAt } from "../json.ts";
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
    ...FIXED.flatMap((field) => fixed(field)),
  ];
}

function checkCompletions(spec: JsonObject, before: JsonObject): FieldError[] {
  const [next, former] = [spec["completions"], before["completions"]];
  if (next === former) return [];
  if (spec["completionMode"] !== "Indexed") return [invalid("spec.completions", next, IMMUTABLE)];
  if (next === undefined || next === spec["parallelism"]) return [];
  return [invalid("spec.completions", next, "can only be modified in tandem with spec.parallelism")];
}

/** A suspended Job that has not begun may still be told where its pods run. */
function checkTemplate(spec: JsonObject, before: JsonObject, old: JsonObject): FieldError[] {
  const [next, former] = [clone(objectAt(spec, "template")), clone(objectAt(before, "template"))];
  if (before["suspend"] === true && stringAt(old, "status", "startTime") === "") {
    for (const template of [next, former]) {
      for (const field of ["nodeSelector", "tolerations", "schedulingGates"]) delete objectAt(template, "spec")[field];
      delete objectAt(template, "spec", "affinity")["nodeAffinity"];
      for (const field of ["annotations", "labels"]) delete objectAt(template, "metadata")[field];
    }
  }
  const shown = internalForm("PodTemplateSpec", objectAt(spec, "template"));
  return deepEqual(next, former) ? [] : [invalid("spec.template", shown, IMMUTABLE)];
}
