// Runs the rules in CEL of a schema on a custom resource.
import { type FieldError, fieldErrorText } from "../api-errors.ts";
import { NONE, some } from "../cel/opaque.ts";
import type { Bindings } from "../cel/program.ts";
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
}

export interface RulesCheck {
  readonly object: JsonObject;
  /** Before an update. */
  readonly old: JsonObject | undefined;
  readonly warn?: (text: string) => void;
}

/** Every rule that does not hold. */
export function checkRules(form: Schema, { object, old, warn = () => {} }: RulesCheck): FieldError[] {
  return visit(form, object, { path: "", root: true, old, keptAround: () => false, warn });
}

function visit(schema: Schema, value: JsonValue, place: Place): FieldError[] {
  if (value === null) return [];
  const own = compiledRules(schema, place.root).flatMap((rule) => run(rule, schema, { ...place, value }));
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

function run(compiled: CompiledRule, schema: Schema, call: RuleCall): FieldError[] {
  const { rule, condition, usesOldSelf } = compiled;
  const optional = rule.optionalOldSelf === true;
  const before = call.old ?? undefined;
  if (usesOldSelf && before === undefined && !optional) return [];
  const field = call.path === "" ? "<nil>" : call.path;
  const type = schema.type ?? "";
  if (condition.program === undefined) {
    return [{ field, type: "FieldValueInvalid", value: type, detail: `rule compile error: ${condition.issues}` }];
  }
  const oldSelf = before === undefined ? undefined : celInput(schema, before);
  const old = optional ? (oldSelf === undefined ? NONE : some(oldSelf)) : (oldSelf ?? null);
  const bindings: Bindings = { self: celInput(schema, call.value), oldSelf: old };
  try {
    if (condition.program.run(bindings) === true) return [];
  } catch (thrown) {
    return [{ field, type: "FieldValueInvalid", value: type, detail: failure(thrown, rule) }];
  }
  // The words of a refusal see the plain value of before, even where the rule itself sees an optional one.
  const plain: Bindings = oldSelf === undefined ? { self: bindings["self"] ?? null } : { ...bindings, oldSelf };
  const error = refusal(compiled, schema, { ...call, bindings: plain });
  if (usesOldSelf || !keptWith(schema, call.value, call)()) return [error];
  // What was wrong before and did not change is not held against an update.
  call.warn(`${error.field}: ${fieldErrorText(error)}`);
  return [];
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
  const plain = rule.message === undefined || rule.message === "" ? `failed rule: ${shown(rule)}` : shown(rule);
  const detail = messageOf(compiled, call.bindings) ?? plain;
  const below = pathBelow(schema, rule.fieldPath ?? "");
  const field = [call.path, below].filter((part) => part !== "").join(".") || "<nil>";
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

/** What the message expression says, undefined when there is none or when it fails. */
function messageOf({ message }: CompiledRule, bindings: Bindings): string | undefined {
  try {
    const text = message?.program?.run(bindings);
    const trimmed = typeof text === "string" ? text.trim() : "";
    return trimmed === "" || trimmed.includes("\n") || Buffer.byteLength(trimmed) > LONGEST_MESSAGE
      ? undefined
      : trimmed;
  } catch {
    // Kubernetes too falls back to the plain message then.
    return undefined;
  }
}
