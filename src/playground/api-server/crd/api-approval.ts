// Groups that belong to the Kubernetes community need a note of approval on their definitions.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { objectAt, stringAt } from "../json.ts";
import { invalid, required } from "../validation/field-errors.ts";
import { type Condition, withCondition } from "./definition-conditions.ts";

const ANNOTATION = "api-approved.kubernetes.io";
const SEE = "see https://github.com/kubernetes/enhancements/pull/1111";

type State = "Missing" | "Unapproved" | "Approved" | "Invalid";

const annotationOf = (definition: JsonObject) => stringAt(objectAt(definition, "metadata", "annotations"), ANNOTATION);

function isProtected(definition: JsonObject): boolean {
  const group = stringAt(definition, "spec", "group");
  return ["k8s.io", "kubernetes.io"].some((suffix) => group === suffix || group.endsWith(`.${suffix}`));
}

function stateOf(annotation: string): { readonly state: State; readonly message: string } {
  const needed = `protected groups must have approval annotation ${JSON.stringify(ANNOTATION)}`;
  if (annotation === "") return { state: "Missing", message: `${needed}, ${SEE}` };
  if (annotation.startsWith("unapproved")) {
    return { state: "Unapproved", message: `not approved: ${JSON.stringify(annotation)}` };
  }
  if (/^[a-zA-Z][\w+.-]*:\/\/[^/]/.test(annotation)) {
    return { state: "Approved", message: `approved in ${annotation}` };
  }
  return { state: "Invalid", message: `${needed} with either a URL or a reason starting with "unapproved", ${SEE}` };
}

/** What was wrong before may stay wrong in the same way. */
export function approvalErrors(definition: JsonObject, old: JsonObject | undefined): FieldError[] {
  if (!isProtected(definition)) return [];
  const annotation = annotationOf(definition);
  const { state, message } = stateOf(annotation);
  if (old !== undefined && stateOf(annotationOf(old)).state === state) return [];
  const field = `metadata.annotations[${ANNOTATION}]`;
  if (state === "Missing") return [required(field, message)];
  return state === "Invalid" ? [invalid(field, annotation, message)] : [];
}

/** The definition with what its note says. */
export function withApproval(definition: JsonObject, now: string): JsonObject {
  if (!isProtected(definition)) return definition;
  const { state, message } = stateOf(annotationOf(definition));
  const condition: Condition = {
    type: "KubernetesAPIApprovalPolicyConformant",
    status: state === "Approved" ? "True" : "False",
    reason: `${state}Annotation`,
    message,
  };
  return withCondition(definition, condition, now);
}
