// What makes configurations of webhooks, policies and their bindings valid, with Kubernetes' sentences.
import type { FieldError } from "../api-errors.ts";
import { typeText } from "../cel/cel-type.ts";
import { compileExpression } from "../cel/compile.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { arrayAt, isObject, numberAt, objectAt, objectsAt, stringAt } from "../json.ts";
import { duplicate, invalid, invalids, notSupported, required, tooMany } from "../validation/field-errors.ts";
import { dns1035Label, dnsSubdomain, qualifiedName } from "../validation/formats.ts";
import { checkLabelSelector } from "../validation/label-selectors.ts";
import { paramKindErrors, paramRefErrors, resourceNameErrors } from "./match-rules.ts";
import { type PolicyScope, policyScope, type Scope } from "./policy-scope.ts";
import { AUTHORIZER_VARIABLE, REQUEST_VARIABLES } from "./request-variables.ts";
import { oneOf, ruleErrors } from "./rule-rules.ts";
import { webhookPathErrors, webhookUrlErrors } from "./webhook-address-rules.ts";

const WEBHOOK_SCOPE: Scope = { ...REQUEST_VARIABLES, ...AUTHORIZER_VARIABLE };

/** Webhooks, all of one configuration. */
export const webhookRules = (configuration: JsonObject) =>
  objectsAt(configuration, "webhooks").flatMap((hook, index, all) => {
    const path = `webhooks[${index}]`;
    const name = stringAt(hook, "name");
    const twice = name !== "" && all.findIndex((one) => one["name"] === name) < index;
    return [...webhookErrors(hook, path), ...(twice ? [duplicate(`${path}.name`, name)] : [])];
  });

function webhookErrors(hook: JsonObject, path: string): FieldError[] {
  return [
    ...nameErrors(stringAt(hook, "name"), `${path}.name`),
    ...objectsAt(hook, "rules").flatMap((rule, index) => ruleErrors(rule, `${path}.rules[${index}]`)),
    ...oneOf(hook, `${path}.failurePolicy`, ["Fail", "Ignore"]),
    ...oneOf(hook, `${path}.matchPolicy`, ["Equivalent", "Exact"]),
    ...sideEffectErrors(hook, `${path}.sideEffects`),
    ...timeoutErrors(hook, `${path}.timeoutSeconds`),
    ...checkLabelSelector(`${path}.namespaceSelector`, hook["namespaceSelector"]),
    ...checkLabelSelector(`${path}.objectSelector`, hook["objectSelector"]),
    ...oneOf(hook, `${path}.reinvocationPolicy`, ["IfNeeded", "Never"]),
    ...clientErrors(objectAt(hook, "clientConfig"), `${path}.clientConfig`),
    ...conditionErrors(hook, `${path}.matchConditions`, WEBHOOK_SCOPE),
    ...reviewErrors(arrayAt(hook, "admissionReviewVersions"), `${path}.admissionReviewVersions`),
  ];
}

function nameErrors(name: string, field: string): FieldError[] {
  if (name === "") return [required(field)];
  const wrong = dnsSubdomain(name);
  if (wrong.length > 0) return [invalid(field, name, wrong.join(","))];
  const detail = "should be a domain with at least three segments separated by dots";
  return name.split(".").length < 3 ? [invalid(field, name, detail)] : [];
}

function sideEffectErrors(hook: JsonObject, field: string): FieldError[] {
  if ((hook["sideEffects"] ?? undefined) === undefined)
    return [required(field, "must specify one of None, NoneOnDryRun")];
  return oneOf(hook, field, ["None", "NoneOnDryRun"]);
}

function timeoutErrors(hook: JsonObject, field: string): FieldError[] {
  const seconds = numberAt(hook, "timeoutSeconds") ?? 10;
  const detail = "the timeout value must be between 1 and 30 seconds";
  return seconds < 1 || seconds > 30 ? [invalid(field, seconds, detail)] : [];
}

function clientErrors(config: JsonObject, field: string): FieldError[] {
  const url = stringAt(config, "url");
  const service = config["service"];
  if ((config["url"] !== undefined) === isObject(service)) {
    return [required(field, "exactly one of url or service is required")];
  }
  return isObject(service) ? serviceErrors(service, `${field}.service`) : webhookUrlErrors(url, `${field}.url`);
}

/** The rule calls the two names by each other's. */
const SWAPPED = { name: "namespace", namespace: "name" };

function serviceErrors(service: JsonObject, field: string): FieldError[] {
  const missing = (["namespace", "name"] as const).filter((key) => stringAt(service, key) === "");
  const errors = missing.map((key) => required(`${field}.${SWAPPED[key]}`));
  const port = numberAt(service, "port") ?? 443;
  const detail = "port is not valid: must be between 1 and 65535, inclusive";
  if (port < 1 || port > 65535) errors.push(invalid(`${field}.port`, port, detail));
  const path = service["path"];
  return typeof path === "string" ? [...errors, ...webhookPathErrors(path, `${field}.path`)] : errors;
}

const REVIEWS = ["v1", "v1beta1"];

function reviewErrors(versions: readonly JsonValue[], field: string): FieldError[] {
  if (versions.length === 0) return [required(field, `must specify one of ${REVIEWS.join(", ")}`)];
  const errors = versions.flatMap((version, index) => {
    const twice = versions.indexOf(version) < index;
    return invalids(`${field}[${index}]`, version, twice ? ["duplicate version"] : dns1035Label(String(version)));
  });
  if (versions.some((version) => REVIEWS.includes(String(version)))) return errors;
  return [...errors, invalid(field, versions, `must include at least one of ${REVIEWS.join(", ")}`)];
}

function conditionErrors(of: JsonObject, path: string, variables: Scope): FieldError[] {
  const conditions = objectsAt(of, "matchConditions");
  if (conditions.length > 64) return [tooMany(path, conditions.length, 64)];
  return conditions.flatMap((condition, index) => {
    const [name, expression] = [stringAt(condition, "name"), stringAt(condition, "expression")];
    const at = `${path}[${index}]`;
    const twice = conditions.findIndex((one) => one["name"] === name) < index;
    return [
      ...(expression.trim() === ""
        ? [required(`${at}.expression`)]
        : expressionErrors(expression, { field: `${at}.expression`, variables, wanted: ["bool"] })),
      ...(name === ""
        ? [required(`${at}.name`)]
        : qualifiedName(name).map((text) => invalid(`${at}.name`, name, text))),
      ...(twice && name !== "" ? [duplicate(`${at}.name`, name)] : []),
    ];
  });
}

interface ExpressionPlace {
  readonly field: string;
  readonly variables: Scope;
  /** The types of which it must have one; none for any. */
  readonly wanted: readonly string[];
}

function expressionErrors(text: string, { field, variables, wanted }: ExpressionPlace): FieldError[] {
  const { issues, type } = compileExpression(text, variables);
  if (issues !== "") return [invalid(field, text, `compilation failed: ${issues}`)];
  if (wanted.length === 0 || wanted.includes(type.name)) return [];
  const one = wanted.length === 1 ? wanted.join("") : `one of [${wanted.join(" ")}]`;
  return [
    invalid(field, text, `must evaluate to ${one} but got ${type.name === "null_type" ? type.name : typeText(type)}`),
  ];
}

/** A ValidatingAdmissionPolicy. */
export function policyRules(policy: JsonObject): FieldError[] {
  const spec = objectAt(policy, "spec");
  const scope = policyScope(spec);
  const constraints = spec["matchConstraints"];
  const validations = objectsAt(spec, "validations");
  const errors = [...oneOf(spec, "spec.failurePolicy", ["Fail", "Ignore"]), ...paramKindErrors(spec["paramKind"])];
  if (!isObject(constraints)) errors.push(required("spec.matchConstraints"));
  else {
    errors.push(...constraintErrors(constraints, "spec.matchConstraints"));
    if (objectsAt(constraints, "resourceRules").length === 0) {
      errors.push(required("spec.matchConstraints.resourceRules"));
    }
  }
  errors.push(...conditionErrors(spec, "spec.matchConditions", scope.conditions));
  errors.push(...variableErrors(spec, scope));
  if (validations.length === 0 && objectsAt(spec, "auditAnnotations").length === 0) {
    const detail = "validations or auditAnnotations must contain at least one item";
    return [...errors, required("spec.validations", detail), required("spec.auditAnnotations", detail)];
  }
  return [
    ...errors,
    ...validations.flatMap((one, index) => validationErrors(one, `spec.validations[${index}]`, scope)),
    ...annotationErrors(policy, scope),
  ];
}

const MOST_ANNOTATIONS = 20;

function annotationErrors(policy: JsonObject, scope: PolicyScope): FieldError[] {
  const annotations = objectsAt(policy, "spec", "auditAnnotations");
  const errors: FieldError[] = [];
  if (annotations.length > MOST_ANNOTATIONS) {
    const detail = `must not have more than ${MOST_ANNOTATIONS} auditAnnotations`;
    errors.push(invalid("spec.auditAnnotations", annotations, detail));
  }
  const each = annotations.flatMap((annotation, index) => {
    const path = `spec.auditAnnotations[${index}]`;
    const [key, expression] = [stringAt(annotation, "key"), stringAt(annotation, "valueExpression")];
    const name = `${stringAt(policy, "metadata", "name")}/${key}`;
    const place = { field: `${path}.valueExpression`, variables: scope.validations, wanted: ["string", "null_type"] };
    return [
      ...qualifiedName(name).map((text) => invalid(`${path}.key`, name, text)),
      ...(expression.trim() === ""
        ? [required(place.field, "valueExpression is not specified")]
        : expressionErrors(expression, place)),
      ...(annotations.findIndex((one) => one["key"] === key) < index ? [duplicate(`${path}.key`, key)] : []),
    ];
  });
  return [...errors, ...each];
}

function constraintErrors(constraints: JsonObject, path: string): FieldError[] {
  const rules = (key: string) =>
    objectsAt(constraints, key).flatMap((rule, index) => {
      const at = `${path}.${key}[${index}]`;
      return [...resourceNameErrors(arrayAt(rule, "resourceNames"), `${at}.resourceNames`), ...ruleErrors(rule, at)];
    });
  return [
    ...oneOf(constraints, `${path}.matchPolicy`, ["Equivalent", "Exact"]),
    ...checkLabelSelector(`${path}.namespaceSelector`, constraints["namespaceSelector"]),
    ...checkLabelSelector(`${path}.objectSelector`, constraints["objectSelector"]),
    ...rules("resourceRules"),
    ...rules("excludeResourceRules"),
  ];
}

function variableErrors(spec: JsonObject, scope: PolicyScope): FieldError[] {
  return objectsAt(spec, "variables").flatMap((variable, index) => {
    const [name, expression] = [stringAt(variable, "name"), stringAt(variable, "expression")];
    const path = `spec.variables[${index}]`;
    const errors: FieldError[] = [];
    if (name === "") errors.push(required(`${path}.name`, "name is not specified"));
    else if (!/^[A-Za-z_]\w*$/.test(name)) errors.push(invalid(`${path}.name`, name, "must be a valid CEL identifier"));
    if (expression.trim() === "") errors.push(required(`${path}.expression`, "expression is not specified"));
    else {
      const place = { field: `${path}.expression`, variables: scope.variable(index), wanted: [] };
      errors.push(...expressionErrors(expression, place));
    }
    return errors;
  });
}

const REASONS = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

function validationErrors(validation: JsonObject, path: string, scope: PolicyScope): FieldError[] {
  const expression = stringAt(validation, "expression").trim();
  const message = validation["message"];
  const errors: FieldError[] = [];
  if (expression === "") errors.push(required(`${path}.expression`, "expression is not specified"));
  else {
    const place = { field: `${path}.expression`, variables: scope.validations, wanted: ["bool"] };
    errors.push(...expressionErrors(stringAt(validation, "expression"), place));
  }
  const text = validation["messageExpression"];
  if (typeof text === "string" && text !== "") {
    const place = { field: `${path}.messageExpression`, variables: scope.messages, wanted: ["string"] };
    if (text.trim() === "") errors.push(invalid(place.field, text, "must be non-empty if specified"));
    else errors.push(...expressionErrors(text, place));
  }
  if (typeof message === "string" && message !== "") {
    if (message.trim() === "") errors.push(invalid(`${path}.message`, message, "must be non-empty if specified"));
    else if (/[\r\n]/.test(message.trim())) {
      errors.push(invalid(`${path}.message`, message, "must not contain line breaks"));
    }
  } else if (/[\r\n]/.test(expression)) {
    errors.push(required(`${path}.message`, "message must be specified if expression contains line breaks"));
  }
  const reason = validation["reason"];
  if (typeof reason === "string" && !REASONS.includes(reason)) {
    errors.push(notSupported(`${path}.reason`, reason, REASONS));
  }
  return errors;
}

const ACTIONS = ["Audit", "Deny", "Warn"];

/** A ValidatingAdmissionPolicyBinding. */
export function bindingRules(binding: JsonObject): FieldError[] {
  const spec = objectAt(binding, "spec");
  const policy = stringAt(spec, "policyName");
  const constraints = spec["matchResources"];
  return [
    ...(policy === ""
      ? [required("spec.policyName")]
      : dnsSubdomain(policy).map((text) => invalid("spec.policyName", policy, text))),
    ...paramRefErrors(spec["paramRef"]),
    ...(isObject(constraints) ? constraintErrors(constraints, "spec.matchResources") : []),
    ...actionErrors(arrayAt(spec, "validationActions")),
  ];
}

function actionErrors(actions: readonly JsonValue[]): FieldError[] {
  const field = "spec.validationActions";
  if (actions.length === 0) return [required(field, "at least one validation action is required")];
  const errors = actions.flatMap((action, index): FieldError[] => {
    const at = `${field}[${index}]`;
    return [
      ...(ACTIONS.includes(String(action)) ? [] : [notSupported(at, action, ACTIONS)]),
      ...(actions.indexOf(action) < index ? [duplicate(at, action)] : []),
    ];
  });
  if (!actions.includes("Deny") || !actions.includes("Warn")) return errors;
  const detail =
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)";
  return [...errors, invalid(field, actions, detail)];
}
