// Rules in CEL of a schema, compiled: what is wrong with them when a definition is made, and how they run.
import type { FieldError } from "../api-errors.ts";
import { type CelType, typeOfSchema } from "../cel/cel-type.ts";
import { type Compiled, compileExpression } from "../cel/compile.ts";
import type { Schema, ValidationRule } from "../schema/schema.ts";
import { invalid } from "../validation/field-errors.ts";
import { keyed } from "./structural-rules.ts";

export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly condition: Compiled;
  readonly message: Compiled | undefined;
  readonly usesOldSelf: boolean;
}

const cache = new WeakMap<Schema, readonly CompiledRule[]>();

/** The rules of one schema node, compiled once. `root` for the schema of a resource. */
export function compiledRules(schema: Schema, root: boolean): readonly CompiledRule[] {
  let compiled = cache.get(schema);
  if (compiled === undefined) {
    const self = typeOfSchema(schema, root);
    compiled = self === undefined ? [] : (schema["x-kubernetes-validations"] ?? []).map((rule) => compile(rule, self));
    cache.set(schema, compiled);
  }
  return compiled;
}

function compile(rule: ValidationRule, self: CelType): CompiledRule {
  const oldSelf = rule.optionalOldSelf === true ? { name: "optional_type", of: [self] } : self;
  const condition = compileExpression(rule.rule, { self, oldSelf });
  const text = rule.messageExpression ?? "";
  return {
    rule,
    condition,
    message: text === "" ? undefined : compileExpression(text, { self, oldSelf }),
    usesOldSelf: condition.reads.has("oldSelf"),
  };
}

interface Place {
  readonly path: string;
  readonly root: boolean;
  /** The part of the schema whose values cannot be told from one another before and after; "" outside of one. */
  readonly uncorrelated: string;
}

/** What is wrong with the rules of a schema and of all schemas below. */
export function celErrors(schema: Schema, path: string): FieldError[] {
  return check(schema, { path, root: true, uncorrelated: "" });
}

function check(schema: Schema, place: Place): FieldError[] {
  const { path } = place;
  const atomicMap = schema["x-kubernetes-map-type"] === "atomic";
  const inMap = atomicMap && place.uncorrelated === "" ? path : place.uncorrelated;
  const inList = schema["x-kubernetes-list-type"] !== "map" && place.uncorrelated === "" ? path : place.uncorrelated;
  const rest = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  const below = (child: Schema | undefined, at: string, uncorrelated: string) =>
    child === undefined ? [] : check(child, { path: at, root: false, uncorrelated });
  return [
    ...below(rest, `${path}.additionalProperties`, place.uncorrelated),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => below(child, keyed(path, key), inMap)),
    ...below(schema.items, `${path}.items`, inList),
    ...compiledRules(schema, place.root).flatMap((rule, index) =>
      ruleErrors(rule, `${path}.x-kubernetes-validations[${index}]`, place.uncorrelated),
    ),
  ];
}

function ruleErrors(compiled: CompiledRule, path: string, uncorrelated: string): FieldError[] {
  const { rule, condition, message } = compiled;
  const errors: FieldError[] = [];
  const wrong = conditionFault(condition);
  if (wrong !== "") errors.push(invalid(`${path}.rule`, goForm(rule), wrong));
  const wrongMessage = wrong === "" && message !== undefined ? messageFault(message) : "";
  if (wrongMessage !== "") errors.push(invalid(`${path}.messageExpression`, goForm(rule), wrongMessage));
  if (compiled.usesOldSelf && uncorrelated !== "") {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    errors.push(invalid(`${path}.rule`, rule.rule, detail));
  }
  if (!compiled.usesOldSelf && rule.optionalOldSelf !== undefined) {
    const detail = "may not be set if oldSelf is not used in rule";
    errors.push(invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, detail));
  }
  return errors;
}

function conditionFault({ issues, type }: Compiled): string {
  if (issues !== "") return `compilation failed: ${issues}`;
  return type.name === "bool" ? "" : "cel expression must evaluate to a bool";
}

function messageFault({ issues, type }: Compiled): string {
  if (issues !== "") return `messageExpression compilation failed: ${issues}`;
  return type.name === "string" ? "" : "messageExpression must evaluate to a string";
}

/** As Kubernetes shows a rule that it refuses. */
const goForm = (rule: ValidationRule) => ({
  Rule: rule.rule,
  Message: rule.message ?? "",
  MessageExpression: rule.messageExpression ?? "",
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? "",
  OptionalOldSelf: rule.optionalOldSelf ?? null,
});
