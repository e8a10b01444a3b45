// Everything that Kubernetes checks of an object of a built-in kind before it stores it, in its order.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { checkSchema } from "./check-schema.ts";
import { pathSegment } from "./formats.ts";
import type { KindRules } from "./kind-rule.ts";
import { nameFormat, rulesOf } from "./kind-rules.ts";
import { checkObjectMeta, checkObjectMetaUpdate } from "./object-meta.ts";

export interface BuiltinChange {
  readonly kind: ResourceKind;
  /** In its kept form, like `old`. */
  readonly object: JsonObject;
  /** Undefined for a new object. */
  readonly old: JsonObject | undefined;
  readonly subresource: string;
  /** Of the kept form: what kinds without rules of their own are held against. */
  readonly schema: Schema;
}

export function checkBuiltin(change: BuiltinChange): FieldError[] {
  const { kind, object, old, subresource } = change;
  const rules = rulesOf(storageKey(kind));
  const whole = () =>
    checkObjectMeta(object, {
      name: nameFormat(storageKey(kind)),
      namespaced: kind.namespaced,
      kubeFinalizers: rules.anyFinalizer !== true,
      anyGenerateName: rules.anyGenerateName === true,
    });
  const generic = { name: pathSegment, namespaced: kind.namespaced, kubeFinalizers: false };
  if (old === undefined) {
    const errors = [...(rules.ownMeta === true ? [] : whole()), ...ownErrors(rules, change)];
    return errors.length > 0 ? errors : checkObjectMeta(object, generic);
  }
  const errors = [...checkObjectMeta(object, generic), ...checkObjectMetaUpdate(object, old, false)];
  if (rules.ownMeta === true) return [...errors, ...ownErrors(rules, change)];
  const update = () => checkObjectMetaUpdate(object, old, rules.anyFinalizer !== true);
  const asked = subresource === "" || rules.metaOfDoors === true ? (rules.meta ?? ["update"]) : ["update"];
  const metadata = asked.map((which) => (which === "whole" ? whole() : update()));
  const own = ownErrors(rules, change);
  const [first = [], ...others] = metadata;
  if (rules.changed !== undefined)
    return [...errors, ...first, ...rules.changed(object, old), ...others.flat(), ...own];
  if (rules.metaLast !== true || metadata.length < 2) return [...errors, ...metadata.flat(), ...own];
  return [...errors, ...(metadata[0] ?? []), ...own, ...metadata.slice(1).flat()];
}

function ownErrors(rules: KindRules, { kind, object, old, subresource, schema }: BuiltinChange): FieldError[] {
  if (rules.create === undefined && rules.update === undefined) return checkSchema(schema, object, { builtin: true });
  if (old === undefined) return rules.create?.(object, kind.group) ?? [];
  if (subresource === "status") return rules.status?.(object, old, kind.group) ?? [];
  return (rules.doors?.[subresource] ?? rules.update)?.(object, old, kind.group) ?? [];
}
