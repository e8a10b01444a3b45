// A schema must be structural: what a value is stands in its skeleton, and combinations of schemas only narrow it. Only
// such a schema says which fields are known, and so which are pruned.
import type { FieldError } from "../api-errors.ts";
import { deepEqual } from "../json.ts";
import type { Schema } from "../schema/schema.ts";
import { forbidden, invalid, required } from "../validation/field-errors.ts";
import { patternFault } from "../validation/go-pattern.ts";

type Level = "root" | "item" | "field";

interface Place {
  readonly path: string;
  readonly level: Level;
}

export const keyed = (path: string, key: string) => `${path}.properties[${key}]`;

export function structuralErrors(schema: Schema, path: string): FieldError[] {
  const errors = [
    ...invariants(schema, { path, level: "root" }),
    ...incomplete(schema, schema, { skeleton: path, value: path }),
  ];
  return errors.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

const textOf = (error: FieldError) => `${error.field}: ${error.type}: ${error.detail}`;

const inner = (schema: Schema) =>
  typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;

function invariants(schema: Schema, { path, level }: Place): FieldError[] {
  const errors: FieldError[] = [];
  const { items, type } = schema;
  if (type === "array" && items === undefined) errors.push(required(`${path}.items`, "must be specified"));
  if (items !== undefined) errors.push(...invariants(items, { path: `${path}.items`, level: "item" }));
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    const bare = level === "root" && key === "metadata";
    errors.push(...(bare ? [] : invariants(child, { path: keyed(path, key), level: "field" })));
  }
  if (schema.additionalProperties !== undefined) {
    const field = `${path}.additionalProperties`;
    if (level === "root") errors.push(forbidden(field, "must not be used at the root"));
    const below = inner(schema);
    if (below !== undefined) errors.push(...invariants(below, { path: field, level: "field" }));
  }
  const either = isIntOrStringPattern(schema.anyOf);
  const firstEither = isIntOrStringPattern(schema.allOf?.[0]?.anyOf);
  errors.push(...extensionErrors(schema, path));
  errors.push(...combinations(schema, { path, skipAny: either, skipFirst: firstEither }));
  errors.push(...typeErrors(schema, { path, level }));
  errors.push(...metaErrors(schema, { path, level }));
  return errors;
}

const EITHER: readonly Schema[] = [{ type: "integer" }, { type: "string" }];

const isIntOrStringPattern = (anyOf: readonly Schema[] | undefined) => deepEqual(anyOf as never, EITHER as never);

function extensionErrors(schema: Schema, path: string): FieldError[] {
  if (schema["x-kubernetes-int-or-string"] !== true) return [];
  return (["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const)
    .filter((key) => schema[key] === true)
    .map((key) => invalid(`${path}.${key}`, true, "must be false if x-kubernetes-int-or-string is true"));
}

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: "must not be empty at the root",
  item: "must not be empty for specified array items",
  field: "must not be empty for specified object fields",
};

function typeErrors(schema: Schema, { path, level }: Place): FieldError[] {
  const type = schema.type ?? "";
  const field = `${path}.type`;
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const open =
    schema.$ref !== undefined ||
    schema["x-kubernetes-int-or-string"] === true ||
    schema["x-kubernetes-preserve-unknown-fields"] === true;
  const errors: FieldError[] = [];
  const wanted = "must be object if x-kubernetes-embedded-resource is true";
  if (embedded && type !== "object") errors.push(type === "" ? required(field, wanted) : invalid(field, type, wanted));
  else if (type === "" && !open) errors.push(required(field, EMPTY_TYPE[level]));
  if (embedded && schema.additionalProperties !== undefined) {
    const detail = "must not be used if x-kubernetes-embedded-resource is set";
    errors.push(forbidden(`${path}.additionalProperties`, detail));
  }
  if (level === "root" && type !== "" && type !== "object")
    errors.push(invalid(field, type, "must be object at the root"));
  return errors;
}

function metaErrors(schema: Schema, { path, level }: Place): FieldError[] {
  const embedded = schema["x-kubernetes-embedded-resource"] === true;
  const errors: FieldError[] = [];
  const properties = schema.properties ?? {};
  if (level === "root" || embedded) {
    for (const [key, type] of [
      ["kind", "string"],
      ["apiVersion", "string"],
      ["metadata", "object"],
    ] as const) {
      const given = properties[key];
      if (given === undefined || given.type === type) continue;
      errors.push(invalid(`${keyed(path, key)}.type`, given.type ?? "", `must be ${type}`));
    }
  }
  const { metadata } = properties;
  if (level === "root" && metadata !== undefined) {
    const { type: _t, default: _d, description: _e, properties: fields = {}, ...rest } = metadata;
    const onlyNames = Object.keys(fields).every((key) => key === "name" || key === "generateName");
    if (!onlyNames || Object.keys(rest).length > 0) {
      const detail = "must not specify anything other than name and generateName, but metadata is implicitly specified";
      errors.push(forbidden(keyed(path, "metadata"), detail));
    }
  }
  const keeps = schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (embedded && !keeps && Object.keys(properties).length === 0) {
    const detail =
      "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    errors.push(required(`${path}.properties`, detail));
  }
  return errors;
}

interface Skips {
  readonly path: string;
  readonly skipAny?: boolean;
  readonly skipFirst?: boolean;
}

function combinations(schema: Schema, { path, skipAny = false, skipFirst = false }: Skips): FieldError[] {
  const errors: FieldError[] = [];
  const list = (key: "anyOf" | "allOf" | "oneOf") => (schema[key] ?? []).entries();
  if (!skipAny)
    for (const [index, part] of list("anyOf")) errors.push(...nested(part, { path: `${path}.anyOf[${index}]` }));
  for (const [index, part] of list("allOf")) {
    errors.push(...nested(part, { path: `${path}.allOf[${index}]`, skipAny: skipFirst && index === 0 }));
  }
  for (const [index, part] of list("oneOf")) errors.push(...nested(part, { path: `${path}.oneOf[${index}]` }));
  if (schema.not !== undefined) errors.push(...nested(schema.not, { path: `${path}.not` }));
  if (schema.pattern !== undefined && schema.pattern !== "") errors.push(...patternErrors(schema.pattern, path));
  return errors;
}

function patternErrors(pattern: string, path: string): FieldError[] {
  const fault = patternFault(pattern);
  if (fault === undefined) return [];
  return [invalid(`${path}.pattern`, pattern, `must be a valid regular expression, but isn't: ${fault}`)];
}

/** What may not stand inside a combination, with its word. */
const BARE: readonly (readonly [keyof Schema | "title", string])[] = [
  ["type", "must be empty to be structural"],
  ["additionalProperties", "must be undefined to be structural"],
  ["default", "must be undefined to be structural"],
  ["title", "must be empty to be structural"],
  ["description", "must be empty to be structural"],
  ["nullable", "must be false to be structural"],
  ["x-kubernetes-preserve-unknown-fields", "must be false to be structural"],
  ["x-kubernetes-embedded-resource", "must be false to be structural"],
  ["x-kubernetes-int-or-string", "must be false to be structural"],
  ["x-kubernetes-list-map-keys", "must be empty to be structural"],
  ["x-kubernetes-list-type", "must be undefined to be structural"],
  ["x-kubernetes-map-type", "must be undefined to be structural"],
  ["x-kubernetes-validations", "must be empty to be structural"],
];

const isEmpty = (value: unknown) => value === undefined || value === "" || value === false;

function nested(schema: Schema, skips: Skips): FieldError[] {
  const { path } = skips;
  const errors = combinations(schema, skips);
  if (schema.items !== undefined) errors.push(...nested(schema.items, { path: `${path}.items` }));
  for (const [key, child] of Object.entries(schema.properties ?? {})) {
    errors.push(...nested(child, { path: keyed(path, key) }));
  }
  const given: Readonly<Record<string, unknown>> = { ...schema };
  for (const [key, detail] of BARE) if (!isEmpty(given[key])) errors.push(forbidden(`${path}.${key}`, detail));
  if (schema.properties?.["metadata"] !== undefined) {
    errors.push(forbidden(keyed(path, "metadata"), "must not be specified in a nested context"));
  }
  return errors;
}

interface Paths {
  readonly skeleton: string;
  readonly value: string;
}

/** What a combination speaks of must be in the skeleton. */
function incomplete(value: Schema, skeleton: Schema | undefined, at: Paths): FieldError[] {
  const parts = (["not", "allOf", "anyOf", "oneOf"] as const).flatMap((key): (readonly [Schema, string])[] => {
    const given = value[key];
    if (given === undefined) return [];
    if (!Array.isArray(given)) return [[given as Schema, `${at.value}.${key}`]];
    return given.map((part: Schema, index) => [part, `${at.value}.${key}[${index}]`] as const);
  });
  return parts.flatMap(([part, path]) => missing(part, skeleton, { skeleton: at.skeleton, value: path }));
}

function missing(part: Schema, skeleton: Schema | undefined, at: Paths): FieldError[] {
  if (skeleton === undefined) return [required(at.skeleton, `because it is defined in ${at.value}`)];
  const errors = incomplete(part, skeleton, at);
  if (part.items !== undefined) {
    const below = { skeleton: `${at.skeleton}.items`, value: `${at.value}.items` };
    errors.push(...missing(part.items, skeleton.items, below));
  }
  for (const [key, child] of Object.entries(part.properties ?? {})) {
    const below = { skeleton: keyed(at.skeleton, key), value: keyed(at.value, key) };
    errors.push(...missing(child, skeleton.properties?.[key], below));
  }
  return errors;
}
