// All that a custom resource is checked for beside its metadata, in Kubernetes' order: its schema, its scale, the
// resources inside it, its lists, and the rules in CEL, which are left out while anything stands in their way.
import type { FieldError } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject, valueAt } from "../json.ts";
import type { CustomKind } from "../resource-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { invalid } from "../validation/field-errors.ts";
import { checkCustom } from "./check-custom.ts";
import { checkRules } from "./check-rules.ts";
import { checkDoubles, checkEmbedded } from "./check-structure.ts";

export interface ResourceCheck {
  /** Both in the version in which the client spoke. */
  readonly object: JsonObject;
  readonly old: JsonObject | undefined;
  readonly subresource: string;
  /** Told of rules that do not hold and did not before. */
  readonly warn?: (text: string) => void;
}

export function checkResource(custom: CustomKind, check: ResourceCheck): FieldError[] {
  const { form } = custom;
  const status = check.subresource === "status";
  const errors = [
    ...(status ? checkStatus(form, check) : checkCustom(form, check.object, { path: "", prefix: "", old: check.old })),
    ...(status ? [] : specReplicas(custom, check.object)),
    ...statusReplicas(custom, check.object),
    ...checkEmbedded(form, check.object),
    ...newDoubles(form, check),
  ];
  if (errors.some(({ type }) => BLOCKING.has(type))) return [...errors, ...(hasRules(form) ? [UNCHECKED] : [])];
  return [...errors, ...checkRules(form, check)];
}

const BLOCKING = new Set<FieldError["type"]>([
  "FieldValueNotSupported",
  "FieldValueRequired",
  "FieldValueTooLong",
  "FieldValueTooMany",
  "FieldValueTypeInvalid",
]);

const UNCHECKED: FieldError = {
  field: "<nil>",
  type: "FieldValueInvalid",
  value: null,
  detail:
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
};

const known = new WeakMap<Schema, boolean>();

function hasRules(schema: Schema): boolean {
  let found = known.get(schema);
  if (found === undefined) {
    found = JSON.stringify(schema).includes('"x-kubernetes-validations"');
    known.set(schema, found);
  }
  return found;
}

function checkStatus(form: Schema, { object, old }: ResourceCheck): FieldError[] {
  const schema = form.properties?.["status"];
  const status = object["status"];
  if (schema === undefined || status === undefined) return [];
  return checkCustom(schema, status, { path: "", prefix: "status", old: old?.["status"] });
}

/** Lists that held doubles before may go on holding them. */
function newDoubles(form: Schema, { object, old }: ResourceCheck): FieldError[] {
  return old !== undefined && checkDoubles(form, old).length > 0 ? [] : checkDoubles(form, object);
}

function specReplicas({ scale }: CustomKind, object: JsonObject): FieldError[] {
  return scale === undefined ? [] : replicas(scale.specReplicasPath, object);
}

function statusReplicas({ scale }: CustomKind, object: JsonObject): FieldError[] {
  if (scale === undefined) return [];
  const errors = replicas(scale.statusReplicasPath, object);
  if (scale.labelSelectorPath === "") return errors;
  const { value, path } = nested(scale.labelSelectorPath, object);
  if (value === undefined || typeof value === "string") return errors;
  const detail = `${path} accessor error: ${String(value)} is of the type ${goType(value)}, expected string`;
  return [...errors, invalid(scale.labelSelectorPath, "", detail)];
}

const MAX_INT32 = 2_147_483_647;

function replicas(at: string, object: JsonObject): FieldError[] {
  const { value, path } = nested(at, object);
  if (value === undefined) return [];
  if (typeof value !== "number" || !Number.isInteger(value)) {
    const detail = `${path} accessor error: ${String(value)} is of the type ${goType(value)}, expected int64`;
    return [invalid(at, 0, detail)];
  }
  if (value < 0) return [invalid(at, value, "should be a non-negative integer")];
  return value > MAX_INT32 ? [invalid(at, value, `should be less than or equal to ${MAX_INT32}`)] : [];
}

function nested(at: string, object: JsonObject): { readonly value: JsonValue | undefined; readonly path: string } {
  const steps = at.replace(/^\./, "").split(".");
  return { value: valueAt(object, ...steps), path: `.${steps.join(".")}` };
}

function goType(value: JsonValue): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (isObject(value)) return "map[string]interface {}";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  return typeof value === "boolean" ? "bool" : typeof value;
}
