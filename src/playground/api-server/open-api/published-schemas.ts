// Schemas as OpenAPI v2 tells of them: those that validate, and what the server says beyond them (enumerations, names of
// scalars, lists), with the descriptions that there are.
import type { JsonObject, JsonValue } from "../contract.ts";
import { definitionTexts } from "../gen/definitions.ts";
import {
  definitionsTexts,
  extensionsTexts,
  fieldsTexts,
  v3DefaultTexts,
  v3ScalarTexts,
} from "../gen/open-api-facts.ts";
import { isObject, objectAt } from "../json.ts";
import { descriptionOf } from "./descriptions.ts";
import { loadedWhileUsed } from "./loaded-while-used.ts";

export const V2_PREFIX = "#/definitions/";
export const V3_PREFIX = "#/components/schemas/";

/** Names of all built-in schemas. */
export function publishedNames(): string[] {
  return [...Object.keys(definitionTexts), ...Object.keys(definitionsTexts)].sort();
}

/** A built-in schema in the form of OpenAPI v2, made anew at each call; undefined when there is none of this name. */
export function publishedSchema(name: string): JsonObject | undefined {
  const schema = bareSchema(name);
  return schema === undefined ? undefined : described(schema, name);
}

function described(schema: JsonObject, name: string): JsonObject {
  const { properties } = schema;
  const own = { ...sayingOf(name), ...schema };
  if (!isObject(properties)) return own;
  const fields = Object.entries(properties).map(
    ([field, value]) => [field, isObject(value) ? { ...sayingOf(name, field), ...value } : value] as const,
  );
  return { ...own, properties: Object.fromEntries(fields) };
}

function sayingOf(name: string, field?: string): JsonObject {
  const description = descriptionOf(name, field);
  return description === undefined ? {} : { description };
}

function bareSchema(name: string): JsonObject | undefined {
  const whole = definitionsTexts[name];
  if (whole !== undefined) return objectOf(whole);
  const text = definitionTexts[name];
  if (text === undefined) return undefined;
  const schema = objectOf(text.replaceAll(V3_PREFIX, V2_PREFIX));
  const { properties, ...rest } = schema;
  const extended = extensionsTexts[name];
  const head = extended === undefined ? rest : objectOf(extended);
  return isObject(properties) ? { ...head, properties: fieldsOf(name, properties) } : head;
}

function fieldsOf(name: string, properties: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [field, schema] of Object.entries(properties)) {
    const told = fieldsTexts[`${name}.${field}`];
    out[field] = told === undefined ? withoutMark(schema) : objectOf(told);
  }
  return out;
}

function withoutMark(schema: JsonValue): JsonValue {
  if (!isObject(schema)) return schema;
  const { "x-go-struct": _, ...rest } = schema;
  return rest;
}

function objectOf(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

/** Many documents have the same schemas. */
const schemasV3 = loadedWhileUsed(() => new Map<string, JsonObject | undefined>());

/** The same schema in the form of OpenAPI v3; shared, and never changed. */
export function publishedSchemaV3(name: string): JsonObject | undefined {
  const known = schemasV3();
  const found = known.get(name) ?? schemaV3(name);
  known.set(name, found);
  return found;
}

function schemaV3(name: string): JsonObject | undefined {
  const scalar = v3ScalarTexts[name];
  if (scalar !== undefined) return { ...sayingOf(name), ...objectOf(scalar) };
  const schema = publishedSchema(name);
  if (schema === undefined) return undefined;
  const told = v3DefaultTexts[name];
  const defaults = told === undefined ? {} : objectOf(told);
  const { properties, ...head } = schema;
  if (!isObject(properties)) return inV3(head, {}, false);
  const fields = Object.entries(properties).map(
    ([field]) =>
      [field, inV3(objectAt(properties, field), objectAt(defaults, field), isDescribed(name, field))] as const,
  );
  return { ...inV3(head, {}, false), properties: Object.fromEntries(fields) };
}

/** Fields that have no description: a definition, or one of its fields. */
const UNDESCRIBED = new Set([
  "io.k8s.api.networking.v1.IngressRule.http",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps",
]);

const isDescribed = (name: string, field: string) =>
  field === "default" || (!UNDESCRIBED.has(name) && !UNDESCRIBED.has(`${name}.${field}`));

const CHILDREN = ["items", "additionalProperties"];

/** What stands beside a reference makes it a list of one: a default, and the description that a field has. */
function inV3(schema: JsonObject, defaults: JsonObject, isField: boolean): JsonObject {
  const own = defaults["default"];
  const out: JsonObject = own === undefined ? {} : { default: own };
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref") {
      const $ref = String(value).replace(V2_PREFIX, V3_PREFIX);
      if (isField || own !== undefined) out["allOf"] = [{ $ref }];
      else out["$ref"] = $ref;
    } else if (CHILDREN.includes(key) && isObject(value)) out[key] = inV3(value, objectAt(defaults, key), false);
    else out[key] = value;
  }
  return out;
}
