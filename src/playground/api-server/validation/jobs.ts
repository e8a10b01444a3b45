// Jobs and CronJobs.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { checkSchedule, checkTimeZone } from "./cron-schedules.ts";
import {
  duplicate,
  invalid,
  invalids,
  nonnegatives,
  notSupported,
  oneOf,
  refused,
  required,
  tooLong,
  tooMany,
} from "./field-errors.ts";
import { dnsLabel, qualifiedName } from "./formats.ts";
import { checkLabelSelector, selects, shownLabels, shownSelector } from "./label-selectors.ts";
import { checkDomainPath } from "./networking.ts";
import { checkPodTemplate } from "./pods/pods.ts";
import { checkSuccessPolicy } from "./success-policies.ts";

const COUNTS = [
  "parallelism",
  "completions",
  "activeDeadlineSeconds",
  "backoffLimit",
  "ttlSecondsAfterFinished",
  "backoffLimitPerIndex",
  "maxFailedIndexes",
];

export function checkJob(job: JsonObject): FieldError[] {
  const spec = objectAt(job, "spec");
  const name = stringAt(job, "metadata", "name");
  const errors = [...checkGeneratedSelector(job), ...checkWholeSpec(spec)];
  const completions = numberAt(spec, "completions") ?? 0;
  const last = `${name}-${completions - 1}`;
  if (spec["completionMode"] === "Indexed" && completions > 0 && dnsLabel(last).length > 0)
    errors.push(invalid("metadata.name", name, `will not able to create pod with invalid DNS label: ${last}`));
  return errors;
}

export function checkWholeSpec(spec: JsonObject): FieldError[] {
  const errors = checkSpec("spec", spec);
  const [selector, labels] = [spec["selector"], objectAt(spec, "template", "metadata")["labels"]];
  if (!isObject(selector)) errors.push(required("spec.selector"));
  errors.push(...checkLabelSelector("spec.selector", selector));
  if (selects(selector, objectAt(labels)) === false) {
    const field = "spec.template.metadata.labels";
    errors.push(invalid(field, shownLabels(labels), "`selector` does not match template `labels`"));
  }
  return errors;
}

const UID_LABEL = "controller-uid";
const NAME_LABEL = "job-name";

function checkGeneratedSelector(job: JsonObject): FieldError[] {
  const spec = objectAt(job, "spec");
  if (spec["manualSelector"] === true || !isObject(spec["selector"])) return [];
  const metadata = objectAt(job, "metadata");
  const wanted = Object.fromEntries(
    ["", "batch.kubernetes.io/"].flatMap((domain) => [
      [`${domain}${UID_LABEL}`, stringAt(metadata, "uid")],
      [`${domain}${NAME_LABEL}`, stringAt(metadata, "name")],
    ]),
  );
  const labels = objectAt(spec, "template", "metadata", "labels");
  const errors = Object.entries(wanted).flatMap(([key, value]) => {
    const field = `spec.template.metadata.labels[${key}]`;
    if (labels[key] === undefined) return [required(field, `must be '${value}'`)];
    return labels[key] === value ? [] : [invalid(field, shownLabels(labels), `must be '${value}'`)];
  });
  if (selects(spec["selector"], wanted) === false)
    errors.push(invalid("spec.selector", shownSelector(spec["selector"]), "`selector` not auto-generated"));
  return errors;
}

function checkSpec(path: string, spec: JsonObject): FieldError[] {
  const errors = nonnegatives(path, spec, COUNTS);
  const managedBy = spec["managedBy"];
  if (spec["maxFailedIndexes"] !== undefined && spec["backoffLimitPerIndex"] === undefined)
    errors.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
  if (typeof managedBy === "string") {
    errors.push(...checkDomainPath(`${path}.managedBy`, managedBy));
    if (managedBy.length > 63) errors.push(tooLong(`${path}.managedBy`, 63));
  }
  return [
    ...errors,
    ...checkCompletionMode(path, spec),
    ...checkFailurePolicy(`${path}.podFailurePolicy`, spec),
    ...checkSuccessPolicy(`${path}.successPolicy`, spec),
    ...checkReplacement(`${path}.podReplacementPolicy`, spec),
    ...checkPodTemplate(`${path}.template`, objectAt(spec, "template")),
    ...checkRestartPolicy(`${path}.template.spec.restartPolicy`, spec),
  ];
}

const INDEXED = "Indexed";

function checkCompletionMode(path: string, spec: JsonObject): FieldError[] {
  const mode = spec["completionMode"];
  const [completions, parallelism] = [numberAt(spec, "completions"), numberAt(spec, "parallelism") ?? 0];
  const failed = numberAt(spec, "maxFailedIndexes");
  const errors: FieldError[] = [];
  if (mode !== undefined && mode !== "NonIndexed" && mode !== INDEXED)
    errors.push(notSupported(`${path}.completionMode`, mode, ["NonIndexed", INDEXED]));
  if (mode === INDEXED) {
    if (completions === undefined) errors.push(required(`${path}.completions`, "when completion mode is Indexed"));
    const most = "must be less than or equal to 100000";
    if (parallelism > 100_000)
      errors.push(invalid(`${path}.parallelism`, parallelism, `${most} when completion mode is Indexed`));
    if (failed !== undefined && completions !== undefined && failed > completions)
      errors.push(invalid(`${path}.maxFailedIndexes`, failed, "must be less than or equal to completions"));
    if (failed !== undefined && failed > 100_000) errors.push(invalid(`${path}.maxFailedIndexes`, failed, most));
    return [...errors, ...checkManyIndexes(path, spec)];
  }
  if (mode !== undefined && mode !== "NonIndexed") return errors;
  for (const field of ["backoffLimitPerIndex", "maxFailedIndexes"]) {
    if (spec[field] !== undefined)
      errors.push(invalid(`${path}.${field}`, spec[field], "requires indexed completion mode"));
  }
  return errors;
}

/** Failures of very many indexes are told apart only when few of them run and fail. */
function checkManyIndexes(path: string, spec: JsonObject): FieldError[] {
  const failed = numberAt(spec, "maxFailedIndexes");
  if ((numberAt(spec, "completions") ?? 0) <= 100_000 || spec["backoffLimitPerIndex"] === undefined) return [];
  const above = "completions are above 100000 and used with backoff limit per index";
  const fields = ["parallelism", "maxFailedIndexes"].filter((field) => (numberAt(spec, field) ?? 0) > 10_000);
  return [
    ...(failed === undefined
      ? [required(`${path}.maxFailedIndexes`, "must be specified when completions is above 100000")]
      : []),
    ...fields.map((field) =>
      invalid(`${path}.${field}`, spec[field], `must be less than or equal to 10000 when ${above}`),
    ),
  ];
}

const ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"];
const STATUSES = ["False", "True", "Unknown"];
const OPERATORS = ["In", "NotIn"];
const listed = (values: readonly string[]) =>
  `valid values: [${values.map((value) => JSON.stringify(value)).join(" ")}]`;

function choice(field: string, value: string, supported: readonly string[]): FieldError[] {
  if (value === "") return [required(field, listed(supported))];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
}

function checkFailurePolicy(path: string, spec: JsonObject): FieldError[] {
  const rules = objectsAt(spec, "podFailurePolicy", "rules");
  const pod = objectAt(spec, "template", "spec");
  const names = [...objectsAt(pod, "containers"), ...objectsAt(pod, "initContainers")].map((one) =>
    stringAt(one, "name"),
  );
  const errors = rules.length > 20 ? [tooMany(`${path}.rules`, rules.length, 20)] : [];
  for (const [index, rule] of rules.entries()) {
    const at = `${path}.rules[${index}]`;
    const [action, codes] = [stringAt(rule, "action"), rule["onExitCodes"]];
    const conditions = objectsAt(rule, "onPodConditions");
    if (action !== "FailIndex") errors.push(...choice(`${at}.action`, action, ACTIONS));
    else if (spec["backoffLimitPerIndex"] === undefined)
      errors.push(invalid(`${at}.action`, action, "requires the backoffLimitPerIndex to be set"));
    if (isObject(codes)) errors.push(...checkExitCodes(`${at}.onExitCodes`, codes, names));
    if (conditions.length > 20) errors.push(tooMany(`${at}.onPodConditions`, conditions.length, 20));
    errors.push(...conditions.flatMap((one, at2) => checkCondition(`${at}.onPodConditions[${at2}]`, one)));
    if (isObject(codes) && conditions.length > 0)
      errors.push(refused(at, "specifying both OnExitCodes and OnPodConditions is not supported"));
    if (!isObject(codes) && conditions.length === 0)
      errors.push(refused(at, "specifying one of OnExitCodes and OnPodConditions is required"));
  }
  return errors;
}

function checkCondition(path: string, pattern: JsonObject): FieldError[] {
  const type = stringAt(pattern, "type");
  return [
    ...invalids(`${path}.type`, type, qualifiedName(type)),
    ...choice(`${path}.status`, stringAt(pattern, "status"), STATUSES),
  ];
}

function checkExitCodes(path: string, codes: JsonObject, names: readonly string[]): FieldError[] {
  const [operator, container] = [stringAt(codes, "operator"), codes["containerName"]];
  const values = arrayAt(codes, "values").map(Number);
  const errors = choice(`${path}.operator`, operator, OPERATORS);
  if (typeof container === "string" && !names.includes(container)) {
    const why = "must be one of the container or initContainer names in the pod template";
    errors.push(invalid(`${path}.containerName`, container, why));
  }
  if (values.length === 0)
    errors.push(invalid(`${path}.values`, codes["values"] ?? null, "at least one value is required"));
  if (values.length > 255) errors.push(tooMany(`${path}.values`, values.length, 255));
  for (const [index, value] of values.entries()) {
    const field = `${path}.values[${index}]`;
    if (operator === "In" && value === 0) errors.push(invalid(field, value, "must not be 0 for the In operator"));
    if (values.indexOf(value) < index) errors.push(duplicate(field, value));
  }
  if (values.some((value, index) => index > 0 && (values[index - 1] ?? 0) > value))
    errors.push(invalid(`${path}.values`, values, "must be ordered"));
  return errors;
}

function checkReplacement(field: string, spec: JsonObject): FieldError[] {
  const policy = spec["podReplacementPolicy"];
  const supported = isObject(spec["podFailurePolicy"]) ? ["Failed"] : ["Failed", "TerminatingOrFailed"];
  return policy === undefined || supported.includes(String(policy)) ? [] : [notSupported(field, policy, supported)];
}

function checkRestartPolicy(field: string, spec: JsonObject): FieldError[] {
  const policy = stringAt(spec, "template", "spec", "restartPolicy");
  if (policy === "Always" || policy === "") return [required(field, 'valid values: "OnFailure", "Never"')];
  if (policy !== "OnFailure" && policy !== "Never") return [notSupported(field, policy, ["OnFailure", "Never"])];
  if (!isObject(spec["podFailurePolicy"]) || policy === "Never") return [];
  return [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')];
}

export function checkCronJob(cron: JsonObject, old?: JsonObject): FieldError[] {
  const [spec, name] = [objectAt(cron, "spec"), stringAt(cron, "metadata", "name")];
  const schedule = stringAt(spec, "schedule");
  const before = objectAt(old, "spec");
  const job = objectAt(spec, "jobTemplate", "spec");
  const path = "spec.jobTemplate.spec";
  const errors =
    schedule === ""
      ? [required("spec.schedule")]
      : checkSchedule("spec.schedule", schedule, { zone: spec["timeZone"], former: stringAt(before, "schedule") });
  errors.push(...nonnegatives("spec", spec, ["startingDeadlineSeconds"]));
  if (old === undefined || spec["timeZone"] !== before["timeZone"])
    errors.push(...checkTimeZone("spec.timeZone", spec["timeZone"]));
  errors.push(...oneOf("spec.concurrencyPolicy", stringAt(spec, "concurrencyPolicy"), ["Allow", "Forbid", "Replace"]));
  errors.push(...checkSpec(path, job));
  if (job["selector"] !== undefined)
    errors.push(invalid(`${path}.selector`, shownSelector(job["selector"]), "`selector` will be auto-generated"));
  if (job["manualSelector"] === true) errors.push(notSupported(`${path}.manualSelector`, true, ["nil", "false"]));
  errors.push(...nonnegatives("spec", spec, ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"]));
  if (old === undefined && name.length > 52)
    errors.push(invalid("metadata.name", name, "must be no more than 52 characters"));
  return errors;
}
