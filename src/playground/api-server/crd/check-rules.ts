// Runs the rules in CEL of a schema on a custom resource.
import type { CelValue } from "@bufbuild/cel";
import { type FieldError, fieldErrorText } from "../api-errors.ts";
import { NONE, some } from "../cel/opaque.ts";
import { type Bindings, CelCostError, type Program } from "../cel/program.ts";
import { celInput } from "../cel/values.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import type { Schema, ValidationRule } from "../schema/schema.ts";
import { type CompiledRule, compiledRules } from "./cel-rules.ts";
import { isKept, itemBefore } from "./kept-value.ts";
import { stepsOf } from "./schema-rules.ts";

interface Place {
  readonly path: string;
  readonly root: boolean;
  /** The value before an update that corresponds to this one. */
  readonly old: JsonValue | undefined;
  /** Whether the nearest value around this one that an update can compare is what it was before. */
  readonly keptAround: () => boolean;
  /** Told of what is wrong but was so before. */
  readonly warn: (text: string) => void;
  readonly budget: Budget;
}

/** What all rules may still cost together; below zero no more of them are run. */
interface Budget {
  left: number;
}

/** Of one run, and of all runs for one object: Kubernetes' limits. */
const MOST_OF_ONE = 1_000_000;
const MOST_OF_ALL = 10_000_000;
const SPENT: Budget["left"] = -1;

export interface RulesCheck {
  readonly object: JsonObject;
  /** Before an update. */
  readonly old: JsonObject | undefined;
  readonly warn?: (text: string) => void;
}

/** Every rule that does not hold. */
export function checkRules(form: Schema, { object, old, warn = () => {} }: RulesCheck): FieldError[] {
  const budget: Budget = { left: MOST_OF_ALL };
  return visit(form, object, { path: "", root: true, old, keptAround: () => false, warn, budget });
}

function visit(schema: Schema, value: JsonValue, place: Place): FieldError[] {
  if (value === null || place.budget.left < 0) return [];
  const own = ownRules(schema, { ...place, value });
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return own;
    const keptAround = keptWith(schema, value, place);
    const below = value.flatMap((item, index) => {
      const old = itemBefore(schema, item, place.old);
      return visit(items, item, { ...place, path: `${place.path}[${index}]`, root: false, old, keptAround });
    });
    return [...own, ...below];
  }
  return isObject(value) ? [...own, ...fields(schema, value, place)] : own;
}

function ownRules(schema: Schema, call: RuleCall): FieldError[] {
  const rules = compiledRules(schema, call.root);
  if (rules.length > 0 && call.budget.left === 0) return [exhausted(schema, call)];
  return rules.flatMap((rule) => (call.budget.left < 0 ? [] : run(rule, schema, call)));
}

/** Whether the value, or what stands around it where it cannot be compared itself, is what it was before. */
const keptWith =
  (schema: Schema, value: JsonValue, { old, keptAround }: Place): (() => boolean) =>
  () =>
    old === undefined ? keptAround() : isKept(schema, old, value);

function fields(schema: Schema, value: JsonObject, place: Place): FieldError[] {
  const { path, old } = place;
  const correlated = isObject(old) ? old : {};
  const keptAround = keptWith(schema, value, place);
  return Object.entries(value).flatMap(([key, child]) => {
    const known = schema.properties?.[key];
    const rest = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const at = known === undefined ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    const below = known ?? rest;
    if (below === undefined) return [];
    return visit(below, child, { ...place, path: at, root: false, old: correlated[key], keptAround });
  });
}

interface RuleCall extends Place {
  readonly value: JsonValue;
}

const fieldOf = ({ path }: Place) => (path === "" ? "<nil>" : path);

const unfit = (schema: Schema, call: RuleCall, detail: string): FieldError => ({
  field: fieldOf(call),
  type: "FieldValueInvalid",
  value: schema.type ?? "",
  detail,
});

/** The end of all rules: nothing is left to spend. */
function exhausted(schema: Schema, call: RuleCall): FieldError {
  call.budget.left = SPENT;
  const why = "validation failed due to running out of cost budget, no further validation rules will be run";
  return unfit(schema, call, why);
}

function run(compiled: CompiledRule, schema: Schema, call: RuleCall): FieldError[] {
  const { rule, condition, usesOldSelf } = compiled;
  const optional = rule.optionalOldSelf === true;
  const before = call.old ?? undefined;
  if (usesOldSelf && before === undefined && !optional) return [];
  if (condition.program === undefined) return [unfit(schema, call, `rule compile error: ${condition.issues}`)];
  const oldSelf = before === undefined ? undefined : celInput(schema, before);
  const old = optional ? (oldSelf === undefined ? NONE : some(oldSelf)) : (oldSelf ?? null);
  const bindings: Bindings = { self: celInput(schema, call.value), oldSelf: old };
  const { value: holds, thrown, isOver } = spend(condition.program, bindings, call.budget);
  if (isOver) return [exhausted(schema, call)];
  if (thrown instanceof CelCostError) {
    call.budget.left = SPENT;
    const why = "no further validation rules will be run due to call cost exceeds limit for rule";
    return [unfit(schema, call, `'${thrown.message}': ${why}: ${shown(rule)}`)];
  }
  if (thrown !== undefined) return [unfit(schema, call, failure(thrown, rule))];
  if (holds === true) return [];
  // The words of a refusal see the plain value of before, even where the rule itself sees an optional one.
  const plain: Bindings = oldSelf === undefined ? { self: bindings["self"] ?? null } : { ...bindings, oldSelf };
  const error = refusal(compiled, schema, { ...call, bindings: plain });
  if (usesOldSelf || !keptWith(schema, call.value, call)()) return [error];
  // What was wrong before and did not change is not held against an update.
  call.warn(`${error.field}: ${fieldErrorText(error)}`);
  return [];
}

interface Spent {
  readonly value?: CelValue;
  readonly thrown?: unknown;
  /** More than the budget held. */
  readonly isOver: boolean;
}

/** Runs an expression for what the budget holds. */
function spend(program: Program, bindings: Bindings, budget: Budget): Spent {
  const meter = { limit: MOST_OF_ONE, spent: 0 };
  let outcome: { readonly value: CelValue } | { readonly thrown: unknown };
  try {
    outcome = { value: program.run(bindings, meter) };
  } catch (thrown) {
    outcome = { thrown };
  }
  if (meter.spent > budget.left) return { isOver: true };
  budget.left -= meter.spent;
  return { ...outcome, isOver: false };
}

const shown = ({ message, rule }: ValidationRule) => (message ?? "").trim() || rule.trim();

function failure(thrown: unknown, rule: ValidationRule): string {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  if (!why.startsWith("no such overload")) return `${why} evaluating rule: ${shown(rule)}`;
  return `'${why}': call arguments did not match a supported operator, function or macro signature for rule: ${shown(rule)}`;
}

const REASONS: Readonly<Record<string, FieldError["type"]>> = {
  FieldValueRequired: "FieldValueRequired",
  FieldValueForbidden: "FieldValueForbidden",
  FieldValueDuplicate: "FieldValueDuplicate",
};

function refusal(compiled: CompiledRule, schema: Schema, call: RuleCall & { readonly bindings: Bindings }): FieldError {
  const { rule } = compiled;
  const below = pathBelow(schema, rule.fieldPath ?? "");
  const field = [call.path, below].filter((part) => part !== "").join(".") || "<nil>";
  const made = messageOf(compiled, call);
  if ("broken" in made) return { field, type: "FieldValueInvalid", value: schema.type ?? "", detail: made.broken };
  const plain = rule.message === undefined || rule.message === "" ? `failed rule: ${shown(rule)}` : shown(rule);
  const detail = made.text ?? plain;
  const type = REASONS[rule.reason ?? ""] ?? "FieldValueInvalid";
  // Objects and lists are not shown.
  const scalar = schema.type !== "object" && schema.type !== "array";
  if (type === "FieldValueDuplicate") return { field, type, detail: "", ...(scalar ? { value: call.value } : {}) };
  return { field, type, detail, ...(scalar ? { value: call.value } : {}) };
}

/** A rule's fieldPath as it stands behind the path of the value: Kubernetes leaves a dot before a key of a map. */
function pathBelow(schema: Schema, fieldPath: string): string {
  return (stepsOf(schema, fieldPath) ?? []).reduce((path, { name, key }) => {
    if (key) return `${path}[${name}]`;
    return path === "" ? name : `${path}.${name}`;
  }, "");
}

/** Bytes. */
const LONGEST_MESSAGE = 5 * 1024;

type Message = { readonly text: string | undefined } | { readonly broken: string };

/** What the message expression says; no text when there is none or when it fails, as Kubernetes falls back, too. */
function messageOf(
  { message, rule }: CompiledRule,
  { bindings, budget }: { readonly bindings: Bindings; readonly budget: Budget },
): Message {
  if (message?.program === undefined) return { text: undefined };
  const { value, thrown, isOver } = spend(message.program, bindings, budget);
  if (isOver || thrown instanceof CelCostError) {
    budget.left = SPENT;
    const end = "no further validation rules will be run";
    if (isOver) return { broken: `messageExpression evaluation failed due to running out of cost budget, ${end}` };
    const text = JSON.stringify(rule.messageExpression);
    return { broken: `${end} due to call cost exceeds limit for messageExpression: ${text}` };
  }
  const trimmed = typeof value === "string" ? value.trim() : "";
  const isUnfit = trimmed === "" || trimmed.includes("\n") || Buffer.byteLength(trimmed) > LONGEST_MESSAGE;
  return { text: isUnfit ? undefined : trimmed };
}
