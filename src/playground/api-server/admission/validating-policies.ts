// ValidatingAdmissionPolicies: rules in CEL on requests, put into force by bindings.
import type { CelInput, CelValue } from "@bufbuild/cel";
import { DYN } from "../cel/cel-type.ts";
import type { Bindings } from "../cel/program.ts";
import { celInput } from "../cel/values.ts";
import {
  type AdmissionAttributes,
  type AdmissionPlugin,
  ApiStatusError,
  type JsonObject,
  type ObjectAccess,
} from "../contract.ts";
import { arrayAt, isObject, objectAt, objectsAt, stringAt } from "../json.ts";
import { matchesSelector } from "../label-selector.ts";
import type { Registry } from "../registry.ts";
import { parseApiVersion, type ResourceKind } from "../resource-kind.ts";
import { compiledOnce, conditionsHold } from "./match-conditions.ts";
import { REQUEST_VARIABLES, requestBindings } from "./request-variables.ts";
import { ADMISSION_GROUP, requestMatches } from "./webhook-configuration.ts";

/** Variables of the expressions of policies. */
export const POLICY_VARIABLES = { ...REQUEST_VARIABLES, params: DYN, namespaceObject: DYN, variables: DYN };

interface Denial {
  readonly policy: string;
  readonly binding: string;
  readonly message: string;
  readonly reason: string;
}

export interface PolicyOptions {
  readonly objects: ObjectAccess;
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
  const decisions = params.flatMap((param) => decide(options, attributes, { policy, param }));
  return decisions.flatMap(({ message, reason, failed }) => {
    if (failed && ignores) return [];
    if (actions.includes("Warn")) {
      attributes.warn?.(
        `Validation failed for ValidatingAdmissionPolicy '${names.policy}' with binding '${names.binding}': ${message}`,
      );
    }
    return actions.includes("Deny") ? [{ ...names, message, reason }] : [];
  });
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

interface Decision {
  readonly message: string;
  readonly reason: string;
  /** The expression failed, rather than being false. */
  readonly failed: boolean;
}

function decide(
  { objects }: PolicyOptions,
  attributes: AdmissionAttributes,
  { policy, param }: { readonly policy: JsonObject; readonly param: JsonObject | undefined },
): Decision[] {
  const spec = objectAt(policy, "spec");
  const isNamespace = attributes.group === "" && attributes.kind === "Namespace";
  const namespace = isNamespace ? undefined : objects.get("", "namespaces", "", attributes.namespace);
  const base: Bindings = {
    ...requestBindings(attributes),
    params: param === undefined ? null : celInput(undefined, param),
    namespaceObject: namespace === undefined ? null : celInput(undefined, namespace),
  };
  const failed = (thrown: unknown): Decision => ({
    message: thrown instanceof Error ? thrown.message : String(thrown),
    reason: "",
    failed: true,
  });
  try {
    if (!conditionsHold(spec, POLICY_VARIABLES, () => base)) return [];
  } catch (thrown) {
    return [failed(thrown)];
  }
  const values: Bindings = { ...base, variables: variablesOf(spec, base) };
  return objectsAt(spec, "validations").flatMap((validation) => {
    try {
      if (evaluate(stringAt(validation, "expression"), values) === true) return [];
      const reason = stringAt(validation, "reason");
      return [{ message: messageOf(validation, values), reason, failed: false }];
    } catch (thrown) {
      return [failed(thrown)];
    }
  });
}

function evaluate(expression: string, values: Bindings): CelValue {
  const { program, issues } = compiledOnce(expression, POLICY_VARIABLES);
  if (program === undefined) throw new Error(`compilation error: compilation failed: ${issues}`);
  try {
    return program.run(values);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`expression '${expression}' resulted in error: ${why}`);
  }
}

/** Each variable may use those before it; one that fails is absent. */
function variablesOf(spec: JsonObject, base: Bindings): CelInput {
  const known = new Map<string, CelInput>();
  for (const variable of objectsAt(spec, "variables")) {
    try {
      const values = { ...base, variables: known };
      known.set(stringAt(variable, "name"), evaluate(stringAt(variable, "expression"), values) as CelInput);
    } catch {
      // Whoever reads it fails, and says so.
    }
  }
  return known;
}

function messageOf(validation: JsonObject, values: Bindings): string {
  const expression = stringAt(validation, "messageExpression");
  if (expression !== "") {
    try {
      const text = evaluate(expression, values);
      const message = typeof text === "string" ? text.trim() : "";
      if (message !== "" && !message.includes("\n")) return message;
    } catch {
      // The plain message stands in for it.
    }
  }
  const plain = stringAt(validation, "message").trim();
  return plain === "" ? `failed expression: ${stringAt(validation, "expression").trim()}` : plain;
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
