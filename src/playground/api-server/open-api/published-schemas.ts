// Schemas as OpenAPI v2 tells of them: those that validate, and what the server says beyond them (enumerations, names of
// scalars, lists). Descriptions are upstream's text and left out.
import type { JsonObject, JsonValue } from "../contract.ts";
import { definitionTexts } from "../gen/definitions.ts";
import { definitionsTexts, extensionsTexts, fieldsTexts, v3ScalarTexts } from "../gen/open-api-facts.ts";
import { isObject } from "../json.ts";

export const V2_PREFIX = "#/definitions/";
export const V3_PREFIX = "#/components/schemas/";

/** Names of all built-in schemas. */
export function publishedNames(): string[] {
  return [...Object.keys(definitionTexts), ...Object.keys(definitionsTexts)].sort();
}

/** A built-in schema in the form of OpenAPI v2, made anew at each call; undefined when there is none of this name. */
export function publishedSchema(name: string): JsonObject | undefined {
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

/** The same schema in the form of OpenAPI v3. */
export function publishedSchemaV3(name: string): JsonObject | undefined {
  const scalar = v3ScalarTexts[name];
  if (scalar !== undefined) return objectOf(scalar);
  const schema = publishedSchema(name);
  return schema === undefined ? undefined : inV3(schema);
}

const CHILDREN = ["items", "additionalProperties"];

/** References become what v3 allows beside other keys, a list of one. */
function inV3(schema: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === "$ref") out["allOf"] = [{ $ref: String(value).replace(V2_PREFIX, V3_PREFIX) }];
    else if (key === "properties" && isObject(value)) out[key] = eachIn(value);
    else out[key] = CHILDREN.includes(key) && isObject(value) ? inV3(value) : value;
  }
  return out;
}

function eachIn(properties: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(properties).map(([field, schema]) => [field, isObject(schema) ? inV3(schema) : schema]),
  );
}
