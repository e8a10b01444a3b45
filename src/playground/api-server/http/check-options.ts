// The options of a write, as its query gives them.
import { type FieldError, invalid } from "../api-errors.ts";
import { forbidden, notSupported, required } from "../validation/field-errors.ts";
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
