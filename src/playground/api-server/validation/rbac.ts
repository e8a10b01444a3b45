// Roles and bindings.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { arrayAt, deepEqual, isObject, objectAt, objectsAt, stringAt } from "../json.ts";
import { invalid, invalids, notSupported, required } from "./field-errors.ts";
import { dnsSubdomain, pathSegment } from "./formats.ts";
import { checkLabelSelector } from "./label-selectors.ts";

const GROUP = "rbac.authorization.k8s.io";

function checkRules(role: JsonObject, namespaced: boolean): FieldError[] {
  return objectsAt(role, "rules").flatMap((rule, index) => checkRule(`rules[${index}]`, rule, namespaced));
}

function checkRule(path: string, rule: JsonObject, namespaced: boolean): FieldError[] {
  const has = (field: string) => arrayAt(rule, field).length > 0;
  const urls = arrayAt(rule, "nonResourceURLs");
  const field = `${path}.nonResourceURLs`;
  const errors = has("verbs") ? [] : [required(`${path}.verbs`, "verbs must contain at least one value")];
  if (urls.length > 0) {
    if (namespaced) errors.push(invalid(field, urls, "namespaced rules cannot apply to non-resource URLs"));
    if (has("apiGroups") || has("resources") || has("resourceNames"))
      errors.push(invalid(field, urls, "rules cannot apply to both regular resources and non-resource URLs"));
    return errors;
  }
  if (!has("apiGroups"))
    errors.push(required(`${path}.apiGroups`, "resource rules must supply at least one api group"));
  if (!has("resources")) errors.push(required(`${path}.resources`, "resource rules must supply at least one resource"));
  return errors;
}

export const checkRole = (role: JsonObject) => checkRules(role, true);

export function checkClusterRole(role: JsonObject): FieldError[] {
  const errors = checkRules(role, false);
  const aggregation = role["aggregationRule"];
  if (!isObject(aggregation)) return errors;
  const selectors = objectsAt(aggregation, "clusterRoleSelectors");
  const path = "aggregationRule.clusterRoleSelectors";
  const why = "at least one clusterRoleSelector required if aggregationRule is non-nil";
  if (selectors.length === 0) errors.push(required(path, why));
  for (const [index, selector] of selectors.entries()) {
    const wrong = checkLabelSelector(`${path}[${index}]`, selector);
    errors.push(...wrong);
    if (wrong.length > 0) errors.push(invalid(`${path}[${index}]`, null, "invalid label selector."));
  }
  return errors;
}

function checkBinding(binding: JsonObject, kinds: readonly string[]): FieldError[] {
  const role = objectAt(binding, "roleRef");
  const [group, kind, name] = [stringAt(role, "apiGroup"), stringAt(role, "kind"), stringAt(role, "name")];
  const errors: FieldError[] = group === GROUP ? [] : [notSupported("roleRef.apiGroup", group, [GROUP])];
  if (!kinds.includes(kind)) errors.push(notSupported("roleRef.kind", kind, kinds));
  if (name === "") errors.push(required("roleRef.name"));
  else errors.push(...invalids("roleRef.name", name, pathSegment(name)));
  const namespaced = kinds.length > 1;
  return [
    ...errors,
    ...objectsAt(binding, "subjects").flatMap((subject, index) =>
      checkSubject(`subjects[${index}]`, subject, namespaced),
    ),
  ];
}

const SUBJECTS = ["ServiceAccount", "User", "Group"];

function checkSubject(path: string, subject: JsonObject, namespaced: boolean): FieldError[] {
  const [kind, name, group] = [stringAt(subject, "kind"), stringAt(subject, "name"), stringAt(subject, "apiGroup")];
  const errors: FieldError[] = name === "" ? [required(`${path}.name`)] : [];
  if (!SUBJECTS.includes(kind)) return [...errors, notSupported(`${path}.kind`, kind, SUBJECTS)];
  const wanted = kind === "ServiceAccount" ? "" : GROUP;
  if (kind === "ServiceAccount" && name !== "") errors.push(...invalids(`${path}.name`, name, dnsSubdomain(name)));
  if (group !== wanted) errors.push(notSupported(`${path}.apiGroup`, group, [wanted]));
  if (kind === "ServiceAccount" && !namespaced && stringAt(subject, "namespace") === "")
    errors.push(required(`${path}.namespace`));
  return errors;
}

export const checkRoleBinding = (binding: JsonObject) => checkBinding(binding, ["Role", "ClusterRole"]);
export const checkClusterRoleBinding = (binding: JsonObject) => checkBinding(binding, ["ClusterRole"]);

export function checkRoleRefUpdate(binding: JsonObject, old: JsonObject): FieldError[] {
  const [next, before] = [objectAt(binding, "roleRef"), objectAt(old, "roleRef")];
  if (deepEqual(next, before)) return [];
  const shown = { APIGroup: next["apiGroup"] ?? "", Kind: next["kind"] ?? "", Name: next["name"] ?? "" };
  return [invalid("roleRef", shown, "cannot change roleRef")];
}
