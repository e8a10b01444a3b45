// ValidatingAdmissionPolicies: rules in CEL on requests, put into force by bindings.
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  ApiStatusError,
  type Authorizer,
  type JsonObject,
  type ObjectAccess,
} from "../contract.ts";
import { arrayAt, isObject, objectAt, stringAt } from "../json.ts";
import { matchesSelector } from "../label-selector.ts";
import type { Registry } from "../registry.ts";
import { parseApiVersion, type ResourceKind } from "../resource-kind.ts";
import { evaluatePolicy, type Finding } from "./evaluate-policy.ts";
import { ADMISSION_GROUP, requestMatches } from "./webhook-configuration.ts";

interface Denial {
  readonly policy: string;
  readonly binding: string;
  readonly message: string;
  readonly reason: string;
}

export interface PolicyOptions {
  readonly objects: ObjectAccess;
  readonly authorizer: Authorizer;
  readonly registry: Registry;
}

export function validatingPolicies(options: PolicyOptions): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionPolicy",
    judges: true,
    async admit(attributes) {
      const denials = judge(options, attributes);
      const [first] = denials;
      if (first !== undefined) throw refusal(attributes, first);
      return attributes.object;
    },
  };
}

function judge(options: PolicyOptions, attributes: AdmissionAttributes): Denial[] {
  const { objects } = options;
  const bindings = objects.list(ADMISSION_GROUP, "validatingadmissionpolicybindings");
  if (bindings.length === 0) return [];
  const denials: Denial[] = [];
  for (const policy of byName(objects.list(ADMISSION_GROUP, "validatingadmissionpolicies"))) {
    const name = stringAt(policy, "metadata", "name");
    const own = bindings.filter((binding) => stringAt(binding, "spec", "policyName") === name);
    if (own.length === 0 || !requestMatches(objectAt(policy, "spec", "matchConstraints"), attributes, objects))
      continue;
    for (const binding of byName(own)) {
      const constraints = objectAt(binding, "spec")["matchResources"];
      if (isObject(constraints) && !requestMatches(constraints, attributes, objects)) continue;
      denials.push(...judgeBinding(options, attributes, { policy, binding }));
    }
  }
  return denials;
}

const byName = (list: readonly JsonObject[]) =>
  list.toSorted((a, b) => (stringAt(a, "metadata", "name") < stringAt(b, "metadata", "name") ? -1 : 1));

interface Bound {
  readonly policy: JsonObject;
  readonly binding: JsonObject;
}

function judgeBinding(options: PolicyOptions, attributes: AdmissionAttributes, bound: Bound): Denial[] {
  const { policy, binding } = bound;
  const names = { policy: stringAt(policy, "metadata", "name"), binding: stringAt(binding, "metadata", "name") };
  const ignores = stringAt(policy, "spec", "failurePolicy") === "Ignore";
  let params: readonly (JsonObject | undefined)[];
  try {
    params = paramsOf(options, attributes, bound);
  } catch (thrown) {
    const message = `failed to configure binding: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    return ignores ? [] : [{ ...names, message, reason: "" }];
  }
  const actions = arrayAt(binding, "spec", "validationActions");
  const namespace = namespaceOf(options.objects, attributes);
  const told = ({ failed, isAnnotation, message, reason }: Finding): Denial[] => {
    if (failed && ignores) return [];
    if (isAnnotation) return [{ ...names, message, reason }];
    if (actions.includes("Warn")) {
      attributes.warn?.(
        `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`,
      );
    }
    return actions.includes("Deny") ? [{ ...names, message, reason }] : [];
  };
  return params
    .flatMap((param) => evaluatePolicy(policy, attributes, { param, namespace, authorizer: options.authorizer }))
    .flatMap(told);
}

/** A Namespace is in no namespace, not even in its own. */
function namespaceOf(objects: ObjectAccess, { group, kind, namespace }: AdmissionAttributes): JsonObject | undefined {
  if (namespace === "" || (group === "" && kind === "Namespace")) return undefined;
  return objects.get("", "namespaces", "", namespace);
}

function paramsOf(
  { objects, registry }: PolicyOptions,
  attributes: AdmissionAttributes,
  { policy, binding }: Bound,
): readonly (JsonObject | undefined)[] {
  const paramKind = objectAt(policy, "spec")["paramKind"];
  const ref = objectAt(binding, "spec")["paramRef"];
  if (!isObject(paramKind) || !isObject(ref)) return [undefined];
  const { group, version } = parseApiVersion(paramKind["apiVersion"]);
  const kind = registry.findKind(group, version, stringAt(paramKind, "kind"));
  if (kind === undefined) {
    const text = `&ParamKind{APIVersion:${stringAt(paramKind, "apiVersion")},Kind:${stringAt(paramKind, "kind")},}`;
    throw new Error(`paramKind kind \`${text}\` not known`);
  }
  const found = findParams(objects, kind, { ref, namespace: paramNamespace(kind, ref, attributes) });
  if (found.length === 0 && stringAt(ref, "parameterNotFoundAction") === "Deny") {
    throw new Error("no params found for policy binding with `Deny` parameterNotFoundAction");
  }
  return found;
}

function paramNamespace(kind: ResourceKind, ref: JsonObject, attributes: AdmissionAttributes): string {
  const given = stringAt(ref, "namespace");
  if (!kind.namespaced) {
    if (given !== "") throw new Error("paramRef.namespace must not be provided for a cluster-scoped `paramKind`");
    return "";
  }
  if (given !== "") return given;
  if (attributes.namespace !== "") return attributes.namespace;
  throw new Error("cannot use namespaced paramRef in policy binding that matches cluster-scoped resources");
}

function findParams(
  objects: ObjectAccess,
  { group, plural }: ResourceKind,
  { ref, namespace }: { readonly ref: JsonObject; readonly namespace: string },
): JsonObject[] {
  const name = stringAt(ref, "name");
  if (name !== "") {
    const one = objects.get(group, plural, namespace, name);
    return one === undefined ? [] : [one];
  }
  const all = objects.list(group, plural, namespace === "" ? undefined : namespace);
  return all.filter((one) => matchesSelector(objectAt(ref, "selector"), objectAt(one, "metadata", "labels")));
}

const CODES: Readonly<Record<string, number>> = {
  Forbidden: 403,
  Unauthorized: 401,
  RequestEntityTooLarge: 413,
  Invalid: 422,
};

function refusal({ group, resource, name }: AdmissionAttributes, denial: Denial): ApiStatusError {
  const bound = denial.binding === "" ? "" : ` with binding '${denial.binding}'`;
  const message = `ValidatingAdmissionPolicy '${denial.policy}'${bound} denied request: ${denial.message}`;
  const reason = denial.reason === "" ? "Invalid" : denial.reason;
  const full = group === "" ? resource : `${resource}.${group}`;
  const details: JsonObject = {
    ...(name === "" ? {} : { name }),
    ...(group === "" ? {} : { group }),
    kind: resource,
    causes: [{ message }],
  };
  return new ApiStatusError(CODES[reason] ?? 422, reason, `${full} "${name}" is forbidden: ${message}`, details);
}
