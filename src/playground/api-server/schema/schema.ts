// One form of schema for built-in kinds and custom resources: OpenAPI v3 as Kubernetes extends it.
import type { JsonValue } from "../contract.ts";
import { definitionTexts } from "../gen/definitions.ts";

/** An OpenAPI v3 node. A node with neither type, properties nor reference accepts anything. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly enum?: readonly JsonValue[];
  readonly default?: JsonValue;
  readonly nullable?: boolean;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly uniqueItems?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly not?: Schema;
  readonly "x-kubernetes-list-type"?: "atomic" | "set" | "map";
  readonly "x-kubernetes-list-map-keys"?: readonly string[];
  readonly "x-kubernetes-map-type"?: "atomic" | "granular";
  readonly "x-kubernetes-patch-merge-key"?: string;
  readonly "x-kubernetes-patch-strategy"?: string;
  readonly "x-kubernetes-int-or-string"?: boolean;
  readonly "x-kubernetes-preserve-unknown-fields"?: boolean;
  readonly "x-kubernetes-embedded-resource"?: boolean;
  readonly "x-kubernetes-validations"?: readonly ValidationRule[];
  /** A field of a built-in kind that is never absent: nobody makes it, so nobody owns it. */
  readonly "x-go-struct"?: boolean;
}

/** A rule in CEL on the values of a schema. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
}

const REF_PREFIX = "#/components/schemas/";
const parsed = new Map<string, Schema>();
const raw = new WeakSet<Schema>();

/** Of a field of a built-in kind that holds any object as a whole. */
export const isRawObject = (schema: Schema | undefined): boolean => schema !== undefined && raw.has(schema);

/** The schema of a built-in definition such as `io.k8s.api.core.v1.Pod`, parsed at first use. */
export function definition(name: string): Schema {
  let schema = parsed.get(name);
  if (schema === undefined) {
    const text = definitionTexts[name];
    if (text === undefined) throw new Error(`no definition ${name}`);
    schema = JSON.parse(text) as Schema;
    for (const field of Object.values(schema.properties ?? {}))
      if (field.type === "object" && field["x-kubernetes-preserve-unknown-fields"] === true) raw.add(field);
    parsed.set(name, schema);
  }
  return schema;
}

/**
 * Follows a reference. List types and patch strategies that stand beside the reference win, as in Kubernetes'
 * description, where a field says how it merges and its definition says what it holds.
 */
export function resolve(schema: Schema | undefined): Schema | undefined {
  if (schema?.$ref === undefined) return schema;
  let found = resolved.get(schema);
  if (found === undefined) {
    const target = definition(schema.$ref.slice(REF_PREFIX.length));
    found = hasOnlyRef(schema) ? target : { ...target, ...withoutRef(schema) };
    resolved.set(schema, found);
  }
  return found;
}

/** What a reference says with what stands beside it: asked for each value of each object. */
const resolved = new WeakMap<Schema, Schema>();

function hasOnlyRef(schema: Schema): boolean {
  for (const key in schema) if (key !== "$ref" && key !== "x-go-struct") return false;
  return true;
}

function withoutRef(schema: Schema): Schema {
  const { $ref: _, "x-go-struct": _s, ...rest } = schema;
  return rest;
}

/** The schema of one field of an object; undefined when the schema does not know it. */
export function fieldSchema(schema: Schema | undefined, field: string): Schema | undefined {
  const own = schema?.properties;
  if (own !== undefined && Object.hasOwn(own, field)) return resolve(own[field]);
  const rest = schema?.additionalProperties;
  return typeof rest === "object" ? resolve(rest) : undefined;
}

export function itemSchema(schema: Schema | undefined): Schema | undefined {
  return resolve(schema?.items);
}
