// What Kubernetes forbids in the schema of a CustomResourceDefinition beside that it must be structural.
import type { FieldError } from "../api-errors.ts";
import type { JsonValue } from "../contract.ts";
import type { Schema } from "../schema/schema.ts";
import { forbidden, invalid, notSupported, required } from "../validation/field-errors.ts";
import { keyed } from "./structural-rules.ts";

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const META = new Set(["metadata", "apiVersion", "kind"]);

/** `defaults` tells why no default may stand here; "" when one may. */
interface Place {
  readonly path: string;
  readonly root: boolean;
  readonly defaults: string;
}

type Visit = (schema: Schema, path: string) => FieldError[];

export function schemaErrors(schema: Schema, path: string): FieldError[] {
  return check(schema, { path, root: true, defaults: "" });
}

/** Calls `visit` for every schema whose values have a place of their own: fields, items, further fields. */
export function eachSchema(schema: Schema, path: string, visit: Visit): FieldError[] {
  const below = [
    ...Object.entries(schema.properties ?? {}).map(([key, child]) => [child, keyed(path, key)] as const),
    ...(schema.items === undefined ? [] : [[schema.items, `${path}.items`] as const]),
    ...(typeof schema.additionalProperties === "object"
      ? [[schema.additionalProperties, `${path}.additionalProperties`] as const]
      : []),
  ];
  return [...visit(schema, path), ...below.flatMap(([child, at]) => eachSchema(child, at, visit))];
}

function check(schema: Schema, place: Place): FieldError[] {
  const { path } = place;
  const below = (child: Schema, at: string) => check(child, { ...place, path: at, root: false });
  const rest = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  return [
    ...ownErrors(schema, place),
    ...(rest === undefined ? [] : below(rest, `${path}.additionalProperties`)),
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
      const inMeta = place.root && META.has(key);
      const defaults = inMeta ? `in top-level ${key}` : place.defaults;
      return check(child, { path: keyed(path, key), root: false, defaults });
    }),
    ...(schema.not === undefined ? [] : below(schema.not, `${path}.not`)),
    ...(["allOf", "oneOf", "anyOf"] as const).flatMap((key) =>
      (schema[key] ?? []).flatMap((part, index) => below(part, `${path}.${key}[${index}]`)),
    ),
    ...(schema.items === undefined ? [] : below(schema.items, `${path}.items`)),
    ...mapTypeErrors(schema, path),
    ...listTypeErrors(schema, path),
    ...ruleErrors(schema, path),
  ];
}

/** Whether the schema, or one below, has what no structural schema can express. */
export function isBeyondStructural(schema: Schema): boolean {
  const given: Readonly<Record<string, unknown>> = { ...schema };
  if (UNSUPPORTED.some((key) => given[key] !== undefined) || Array.isArray(schema.items)) return true;
  const rest = typeof schema.additionalProperties === "object" ? [schema.additionalProperties] : [];
  const parts = [schema.items, schema.not, ...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  const below = [...parts.filter((part) => part !== undefined), ...Object.values(schema.properties ?? {}), ...rest];
  return below.some(isBeyondStructural);
}

const UNSUPPORTED = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];

function ownErrors(schema: Schema, { path, defaults }: Place): FieldError[] {
  const errors: FieldError[] = [];
  const type = schema.type ?? "";
  if (type !== "" && !TYPES.includes(type)) errors.push(notSupported(`${path}.type`, type, TYPES));
  if (schema.default !== undefined && defaults !== "") {
    errors.push(forbidden(`${path}.default`, `must not be set ${defaults}`));
  }
  const given: Readonly<Record<string, unknown>> = { ...schema };
  for (const key of UNSUPPORTED) {
    if (given[key] !== undefined) errors.push(forbidden(`${path}.${key}`, `${key} is not supported`));
  }
  if (Array.isArray(schema.items)) {
    errors.push(forbidden(`${path}.items`, "items must be a schema object and not an array"));
  }
  if (type === "null") {
    errors.push(forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative"));
  }
  if (schema.uniqueItems === true) {
    const detail = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    errors.push(forbidden(`${path}.uniqueItems`, detail));
  }
  const fields = Object.keys(schema.properties ?? {}).length > 0;
  if (fields && schema.additionalProperties !== undefined && schema.additionalProperties !== true) {
    errors.push(forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  }
  return errors;
}

/** A mark that needs one type. */
function neededType(schema: Schema, path: string, need: { type: string; mark: string }): FieldError[] {
  const type = schema.type ?? "";
  const detail = `must be ${need.type} if ${need.mark} is specified`;
  if (type === need.type) return [];
  return [type === "" ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail)];
}

function mapTypeErrors(schema: Schema, path: string): FieldError[] {
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType === undefined) return [];
  const mark = "x-kubernetes-map-type";
  const known = ["atomic", "granular"];
  const errors = neededType(schema, path, { type: "object", mark });
  return known.includes(mapType) ? errors : [...errors, notSupported(`${path}.${mark}`, mapType, known)];
}

function listTypeErrors(schema: Schema, path: string): FieldError[] {
  const listType = schema["x-kubernetes-list-type"];
  const mark = `${path}.x-kubernetes-list-type`;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const errors: FieldError[] = [];
  if (listType !== undefined) {
    errors.push(...neededType(schema, path, { type: "array", mark: "x-kubernetes-list-type" }));
    if (schema.type === "array" && listType === "set") errors.push(...setErrors(schema, path));
    const known = ["atomic", "set", "map"];
    if (!known.includes(listType)) errors.push(notSupported(mark, listType, known));
  }
  if (keys.length > 0 && listType !== "map") {
    const detail = "must be map if x-kubernetes-list-map-keys is non-empty";
    errors.push(listType === undefined ? required(mark, detail) : invalid(mark, listType, detail));
  }
  return listType === "map" ? [...errors, ...keyErrors(schema, path)] : errors;
}

function setErrors({ items }: Schema, path: string): FieldError[] {
  const detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items?.["x-kubernetes-list-type"] ?? null;
  if (items?.type === "array" && listType !== null && listType !== "atomic") {
    return [invalid(`${path}.items.x-kubernetes-list-type`, listType, detail)];
  }
  const atomic = items?.["x-kubernetes-map-type"] === "atomic";
  if (items?.type === "object" && !atomic) return [invalid(`${path}.items.x-kubernetes-map-type`, listType, detail)];
  return items?.nullable === true ? [forbidden(`${path}.items.nullable`, nullableItem("set"))] : [];
}

const nullableItem = (type: string) => `cannot be nullable when x-kubernetes-list-type is ${type}`;

function keyErrors(schema: Schema, path: string): FieldError[] {
  const field = `${path}.x-kubernetes-list-map-keys`;
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  const { items } = schema;
  const errors: FieldError[] = [];
  if (keys.length === 0) errors.push(required(field, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined) {
    return [...errors, required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map")];
  }
  if (items.type !== "object") {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    return [...errors, invalid(`${path}.items.type`, items.type ?? "", detail)];
  }
  for (const [index, key] of keys.entries()) {
    const known = items.properties?.[key];
    if (known === undefined) errors.push(invalid(field, keys, "entries must all be names of item properties"));
    else if (known.type === "array" || known.type === "object") {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${keyed(`${path}.items`, key)}.type`, items.type, detail));
    }
    if (keys.indexOf(key) < index) errors.push(invalid(field, keys, "must not contain duplicate entries"));
  }
  if (items.nullable === true) errors.push(forbidden(`${path}.items.nullable`, nullableItem("map")));
  return [...errors, ...keys.flatMap((key) => oneKey(items, key, path))];
}

function oneKey(items: Schema, key: string, path: string): FieldError[] {
  const known = items.properties?.[key];
  if (known === undefined) return [];
  const field = keyed(`${path}.items`, key);
  const why = "this property is in x-kubernetes-list-map-keys, so it";
  const errors: FieldError[] = [];
  if (items.required?.includes(key) !== true && known.default === undefined)
    errors.push(required(`${field}.default`, `${why} must have a default or be a required property`));
  if (known.nullable === true) errors.push(forbidden(`${field}.nullable`, `${why} cannot be nullable`));
  return errors;
}

const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

const trimmed = (value: JsonValue | undefined) => (typeof value === "string" ? value.trim() : "");

function ruleErrors(schema: Schema, path: string): FieldError[] {
  return (schema["x-kubernetes-validations"] ?? []).flatMap((rule, index) => {
    const field = `${path}.x-kubernetes-validations[${index}]`;
    const { message, messageExpression, reason, fieldPath } = rule;
    const errors: FieldError[] = [];
    if (trimmed(rule.rule) === "") errors.push(required(`${field}.rule`, "rule is not specified"));
    else if (message !== undefined && message !== "" && trimmed(message) === "") {
      errors.push(invalid(`${field}.message`, message, "must be non-empty if specified"));
    } else if (/[\r\n]/.test(trimmed(message))) {
      errors.push(invalid(`${field}.message`, message, "must not contain line breaks"));
    } else if (/[\r\n]/.test(trimmed(rule.rule)) && trimmed(message) === "") {
      errors.push(required(`${field}.message`, "message must be specified if rule contains line breaks"));
    }
    if (messageExpression !== undefined && messageExpression !== "" && trimmed(messageExpression) === "") {
      errors.push(required(`${field}.messageExpression`, "messageExpression must be non-empty if specified"));
    }
    if (reason !== undefined && !REASONS.includes(reason))
      errors.push(notSupported(`${field}.reason`, reason, REASONS));
    if (fieldPath !== undefined && fieldPath !== "")
      errors.push(...fieldPathErrors(schema, fieldPath, `${field}.fieldPath`));
    return errors;
  });
}

function fieldPathErrors(schema: Schema, path: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (path.trim() === "") errors.push(invalid(field, path, "must be non-empty if specified"));
  if (/[\r\n]/.test(path)) errors.push(invalid(field, path, "must not contain line breaks"));
  if (schemaAt(schema, path) === undefined) errors.push(invalid(field, path, "must be a valid path"));
  return errors;
}

/** The schema at a path such as `.spec.ports` or `.labels['a.b']`; undefined for a path that leads nowhere. */
export function schemaAt(schema: Schema, path: string): Schema | undefined {
  return path === "" ? schema : stepsOf(schema, path)?.at(-1)?.schema;
}

interface PathStep {
  readonly name: string;
  /** It is a key of a map rather than a field. */
  readonly key: boolean;
  readonly schema: Schema;
}

/** A path such as `.spec.ports` or `.labels['a.b']` in its steps; undefined for a path that leads nowhere. */
export function stepsOf(schema: Schema, path: string): readonly PathStep[] | undefined {
  const step = /^(?:\.([A-Za-z_][\w-]*)|\['((?:[^'\\]|\\.)*)'\])/;
  const steps: PathStep[] = [];
  let at = schema;
  for (let rest = path; rest !== ""; ) {
    const match = step.exec(rest);
    if (match === null) return undefined;
    const name = match[1] ?? match[2] ?? "";
    const further: Schema | boolean | undefined = at.additionalProperties;
    const key = at.properties === undefined;
    const next = at.properties?.[name] ?? (key && typeof further === "object" ? further : undefined);
    if (next === undefined) return undefined;
    steps.push({ name, key, schema: next });
    at = next;
    rest = rest.slice(match[0].length);
  }
  return steps;
}
