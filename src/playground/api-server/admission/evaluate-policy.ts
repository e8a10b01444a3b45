// One ValidatingAdmissionPolicy held against one request and one parameter.
import type { CelInput, CelValue } from "@bufbuild/cel";
import { typeText } from "../cel/cel-type.ts";
import type { Bindings } from "../cel/program.ts";
import { celInput } from "../cel/values.ts";
import type { AdmissionAttributes, Authorizer, JsonObject } from "../contract.ts";
import { objectAt, objectsAt, stringAt } from "../json.ts";
import { compiledOnce, conditionsHold } from "./match-conditions.ts";
import { type PolicyScope, policyScope, type Scope } from "./policy-scope.ts";
import { requestBindings } from "./request-variables.ts";

/** A reason to refuse. */
export interface Finding {
  readonly message: string;
  readonly reason: string;
  /** The expression failed, rather than being false. */
  readonly failed: boolean;
  /** An audit annotation that cannot be made refuses whatever the binding wants to be done. */
  readonly isAnnotation: boolean;
}

export interface PolicySurroundings {
  readonly param: JsonObject | undefined;
  readonly namespace: JsonObject | undefined;
  readonly authorizer: Authorizer;
}

export function evaluatePolicy(
  policy: JsonObject,
  attributes: AdmissionAttributes,
  { param, namespace, authorizer }: PolicySurroundings,
): Finding[] {
  const spec = objectAt(policy, "spec");
  const scope = policyScope(spec);
  const base: Bindings = {
    ...requestBindings(attributes, authorizer),
    params: param === undefined ? null : celInput(undefined, param),
    namespaceObject: namespace === undefined ? null : celInput(undefined, shownNamespace(namespace)),
  };
  try {
    if (!conditionsHold(spec, scope.conditions, () => base)) return [];
  } catch (thrown) {
    return [{ message: textOf(thrown), reason: "", failed: true, isAnnotation: false }];
  }
  const evaluation = new Evaluation(spec, scope, base);
  return [
    ...objectsAt(spec, "validations").flatMap((validation) => evaluation.validate(validation) ?? []),
    ...objectsAt(spec, "auditAnnotations").flatMap((annotation) => evaluation.annotate(annotation) ?? []),
  ];
}

const textOf = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));

/** Expressions see a namespace without who owns what of it. */
function shownNamespace(namespace: JsonObject): JsonObject {
  const { managedFields: _m, ownerReferences: _o, uid, ...metadata } = objectAt(namespace, "metadata");
  const { spec = {}, status = {} } = namespace;
  return { metadata: { ...metadata, ...(uid === undefined ? {} : { UID: uid }) }, spec, status };
}

class Evaluation {
  readonly #scope: PolicyScope;
  readonly #values: Bindings;
  /** Why a variable has no value. */
  readonly #broken = new Map<string, string>();

  constructor(spec: JsonObject, scope: PolicyScope, base: Bindings) {
    this.#scope = scope;
    const known = new Map<string, CelInput>();
    for (const [index, variable] of objectsAt(spec, "variables").entries()) {
      const name = stringAt(variable, "name");
      const values = { ...base, variables: known };
      try {
        known.set(name, this.#run(stringAt(variable, "expression"), scope.variable(index), values) as CelInput);
      } catch (thrown) {
        this.#broken.set(name, textOf(thrown));
      }
    }
    this.#values = { ...base, variables: known };
  }

  validate(validation: JsonObject): Finding | undefined {
    try {
      if (this.#evaluate(stringAt(validation, "expression"), this.#scope.validations) === true) return undefined;
      const reason = stringAt(validation, "reason");
      return { message: this.#message(validation), reason, failed: false, isAnnotation: false };
    } catch (thrown) {
      return { message: textOf(thrown), reason: "", failed: true, isAnnotation: false };
    }
  }

  /** Annotations are for an audit log, which is not kept; that they can be made is checked all the same. */
  annotate(annotation: JsonObject): Finding | undefined {
    const expression = stringAt(annotation, "valueExpression");
    const trimmed = expression.trim();
    try {
      const value = this.#evaluate(trimmed, this.#scope.validations);
      if (typeof value === "string" || value === null) return undefined;
      const type = typeText(compiledOnce(trimmed, this.#scope.validations).type);
      const message = `valueExpression '${expression}' resulted in unsupported return type: ${type}. Return type must be either string or null.`;
      return { message, reason: "", failed: false, isAnnotation: true };
    } catch (thrown) {
      return { message: textOf(thrown), reason: "", failed: true, isAnnotation: true };
    }
  }

  #message(validation: JsonObject): string {
    const expression = stringAt(validation, "messageExpression");
    if (expression !== "") {
      try {
        const text = this.#evaluate(expression, this.#scope.messages);
        const message = typeof text === "string" ? text.trim() : "";
        if (message !== "" && !message.includes("\n")) return message;
      } catch {
        // The plain message stands in for it.
      }
    }
    const plain = stringAt(validation, "message").trim();
    return plain === "" ? `failed expression: ${stringAt(validation, "expression").trim()}` : plain;
  }

  #evaluate(expression: string, scope: Scope): CelValue {
    try {
      return this.#run(expression, scope, this.#values);
    } catch (thrown) {
      throw new Error(`expression '${expression}' resulted in error: ${textOf(thrown)}`);
    }
  }

  #run(expression: string, scope: Scope, values: Bindings): CelValue {
    const { program, issues } = compiledOnce(expression, scope);
    if (program === undefined) throw new Error(`compilation error: compilation failed: ${issues}`);
    try {
      return program.run(values);
    } catch (thrown) {
      throw new Error(this.#reasonOf(textOf(thrown)));
    }
  }

  /** A variable without a value fails where it is read. */
  #reasonOf(text: string): string {
    const [, name = ""] = /^no such key: (.*)$/.exec(text) ?? [];
    const why = this.#broken.get(name);
    return why === undefined ? text : `composited variable "${name}" fails to evaluate: ${why}`;
  }
}
