// Rules in CEL of a schema, compiled: what is wrong with them when a definition is made, and how they run.
import type { FieldError } from "../api-errors.ts";
import { type CelType, typeOfSchema } from "../cel/cel-type.ts";
import { type Compiled, compileExpression } from "../cel/compile.ts";
import type { Schema, ValidationRule } from "../schema/schema.ts";
import { MAX_REQUEST_BYTES, sizedType } from "../cel/sized-type.ts";
import { invalid } from "../validation/field-errors.ts";
import { createRuleCosts, type RuleCosts } from "./rule-costs.ts";
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
  /** How often a value of the schema can be in an object; undefined when nothing says. */
  readonly times: number | undefined;
  readonly costs: RuleCosts;
}

/** What is wrong with the rules of a schema and of all schemas below. */
export function celErrors(schema: Schema, path: string): FieldError[] {
  const costs = createRuleCosts();
  const errors = check(schema, { path, root: true, uncorrelated: "", times: 1, costs });
  return [...errors, ...costs.errors(path)];
}

function check(schema: Schema, place: Place): FieldError[] {
  const { path } = place;
  const atomicMap = schema["x-kubernetes-map-type"] === "atomic";
  const inMap = atomicMap && place.uncorrelated === "" ? path : place.uncorrelated;
  const inList = schema["x-kubernetes-list-type"] !== "map" && place.uncorrelated === "" ? path : place.uncorrelated;
  const rest = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  const each = elements(schema);
  const times = each === undefined || place.times === undefined ? undefined : each * place.times;
  const below = (child: Schema | undefined, at: string, uncorrelated: string) =>
    child === undefined ? [] : check(child, { path: at, root: false, uncorrelated, times, costs: place.costs });
  return [
    ...below(rest, `${path}.additionalProperties`, place.uncorrelated),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => below(child, keyed(path, key), inMap)),
    ...below(schema.items, `${path}.items`, inList),
    ...ownErrors(schema, place),
  ];
}

/** How many values there can be for one of the schema itself; undefined when nothing says. */
function elements(schema: Schema): number | undefined {
  if (schema.type === "array") return schema.maxItems === undefined ? undefined : Math.max(0, schema.maxItems);
  if (schema.type !== "object" || schema.additionalProperties === undefined) return 1;
  return schema.maxProperties === undefined ? undefined : Math.max(0, schema.maxProperties);
}

function ownErrors(schema: Schema, { path, root, uncorrelated, times, costs }: Place): FieldError[] {
  const rules = compiledRules(schema, root);
  const self = rules.length === 0 ? undefined : sizedType(schema, root);
  if (self === undefined) return [];
  const often = times ?? Math.trunc(MAX_REQUEST_BYTES / (self.minBytes + 1));
  return rules.flatMap((rule, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`;
    const wrong = conditionFault(rule.condition);
    const cost = wrong === "" ? rule.condition.cost(self) * often : 0;
    const errors = costs.observe(`${at}.rule`, cost, "estimated rule cost");
    if (wrong !== "") errors.push(invalid(`${at}.rule`, goForm(rule.rule), wrong));
    if (wrong === "" && rule.message !== undefined) {
      const fault = messageFault(rule.message);
      if (fault !== "") errors.push(invalid(`${at}.messageExpression`, goForm(rule.rule), fault));
      else {
        const price = rule.message.cost(self);
        errors.push(...costs.observe(`${at}.messageExpression`, price, "estimated messageExpression cost"));
      }
    }
    return [...errors, ...oldSelfErrors(rule, at, uncorrelated)];
  });
}

function oldSelfErrors({ rule, usesOldSelf }: CompiledRule, path: string, uncorrelated: string): FieldError[] {
  if (usesOldSelf && uncorrelated !== "") {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`;
    return [invalid(`${path}.rule`, rule.rule, detail)];
  }
  if (usesOldSelf || rule.optionalOldSelf === undefined) return [];
  return [invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, "may not be set if oldSelf is not used in rule")];
}

function conditionFault({ issues, planFault, type }: Compiled): string {
  if (issues !== "") return `compilation failed: ${issues}`;
  if (type.name !== "bool") return "cel expression must evaluate to a bool";
  return planFault === "" ? "" : `program instantiation failed: ${planFault}`;
}

function messageFault({ issues, planFault, type }: Compiled): string {
  if (issues !== "") return `messageExpression compilation failed: ${issues}`;
  if (type.name !== "string") return "messageExpression must evaluate to a string";
  return planFault === "" ? "" : `messageExpression instantiation failed: ${planFault}`;
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
