// The options of a write, as its query gives them.
import { badRequest, type FieldError, invalid } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, stringAt } from "../json.ts";
import { forbidden, invalid as invalidField, notSupported, required } from "../validation/field-errors.ts";
import { checkFieldManager } from "../validation/object-meta.ts";

const NAMES: Readonly<Record<string, string>> = {
  create: "CreateOptions",
  update: "UpdateOptions",
  patch: "PatchOptions",
};
const VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

/** Throws 422 for options that are none. */
export function checkWriteOptions(verb: string, query: URLSearchParams, isApply: boolean): void {
  const name = NAMES[verb];
  if (name === undefined) return;
  const manager = query.get("fieldManager") ?? "";
  const [dryRun, validation] = [query.getAll("dryRun"), query.get("fieldValidation") ?? ""];
  const errors: FieldError[] = [];
  if (isApply && manager === "") errors.push(required("fieldManager", "is required for apply patch"));
  if (verb === "patch" && !isApply && query.has("force"))
    errors.push(forbidden("force", "may not be specified for non-apply patch"));
  errors.push(...checkFieldManager("fieldManager", manager));
  if (dryRun.some((value) => value !== "All")) errors.push(notSupported("dryRun", dryRun, ["All"]));
  if (!VALIDATIONS.includes(validation)) errors.push(notSupported("fieldValidation", validation, VALIDATIONS));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: name }, "", errors);
}

const POLICIES = ["Foreground", "Background", "Orphan", "nil"];
const KINDS = ["", "DeleteOptions"];

/** Throws for options of a deletion that are none; its body, when there is one, stands for the query. */
export function checkDeleteOptions(body: JsonObject | undefined, query: URLSearchParams): void {
  const grace = query.get("gracePeriodSeconds") ?? "";
  if (body === undefined && grace !== "" && !/^[+-]?\d+$/.test(grace))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
  const kind = stringAt(body, "kind");
  if (!KINDS.includes(kind)) {
    const version = JSON.stringify(stringAt(body, "apiVersion"));
    const scheme = '"pkg/runtime/scheme.go:111"';
    throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${version} in scheme ${scheme}`);
  }
  const policy = body === undefined ? (query.get("propagationPolicy") ?? "") : stringAt(body, "propagationPolicy");
  const orphan = body === undefined ? query.has("orphanDependents") : body["orphanDependents"] !== undefined;
  const dryRun = body === undefined ? query.getAll("dryRun") : arrayAt(body, "dryRun");
  const errors: FieldError[] = [];
  if (policy !== "" && orphan) {
    const why = "orphanDependents and deletionPropagation cannot be both set";
    errors.push(invalidField("propagationPolicy", policy, why));
  } else if (policy !== "" && !POLICIES.includes(policy))
    errors.push(notSupported("propagationPolicy", policy, POLICIES));
  if (dryRun.some((value) => value !== "All")) errors.push(notSupported("dryRun", dryRun, ["All"]));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
}
