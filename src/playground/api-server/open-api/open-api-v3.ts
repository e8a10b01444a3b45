// OpenAPI v3: a document for each group and version. Kubectl reads it for `explain` and to learn that the server
// validates fields itself.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { customListSchema, customSchema } from "./custom-schemas.ts";
import {
  definitionOf,
  listDefinitionOf,
  type Operation,
  operationsOf,
  PARAMETER_TYPES,
  type PathOperations,
  WATCH_EVENT,
} from "./operations.ts";
import { publishedSchemaV3, V3_PREFIX } from "./published-schemas.ts";

/** The document of kinds of one group and version. */
export function openApiV3(kinds: readonly ResourceKind[], release: string): JsonObject {
  const rows = kinds.flatMap(operationsOf);
  const paths = Object.fromEntries(rows.map((row) => [row.path, pathItem(row)]));
  const info = { title: "Kubernetes", version: release };
  return { openapi: "3.0.0", info, paths, components: { schemas: schemasOf(kinds, rows) } };
}

function schemasOf(kinds: readonly ResourceKind[], rows: readonly PathOperations[]): JsonObject {
  const schemas: JsonObject = {};
  for (const kind of kinds.filter(({ custom }) => custom !== undefined)) {
    schemas[definitionOf(kind)] = customSchema(kind, false);
    schemas[listDefinitionOf(kind)] = customListSchema(kind, false);
  }
  const own = Object.values(schemas);
  const named = rows.flatMap(({ operations }) => operations.flatMap(({ body, answer }) => [body ?? answer, answer]));
  const watched = kinds.some(({ custom, verbs }) => custom === undefined && verbs.includes("watch"));
  for (const name of [...kinds.map(definitionOf), ...named, ...(watched ? [WATCH_EVENT] : [])])
    addSchema(schemas, name);
  for (const schema of own) addReferences(schemas, schema);
  return Object.fromEntries(Object.entries(schemas).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Adds a built-in schema and all that it names. */
function addSchema(schemas: JsonObject, name: string): void {
  if (schemas[name] !== undefined) return;
  const schema = publishedSchemaV3(name);
  if (schema === undefined) return;
  schemas[name] = schema;
  addReferences(schemas, schema);
}

function addReferences(schemas: JsonObject, value: JsonValue): void {
  if (Array.isArray(value)) for (const item of value) addReferences(schemas, item);
  if (!isObject(value)) return;
  const ref = value["$ref"];
  if (typeof ref === "string") addSchema(schemas, ref.slice(V3_PREFIX.length));
  for (const child of Object.values(value)) if (typeof child === "object") addReferences(schemas, child);
}

function pathItem({ places, operations }: PathOperations): JsonObject {
  const item = Object.fromEntries(operations.map((operation) => [operation.method, operationOf(operation)]));
  return { ...item, parameters: places.map((name) => parameter(name, "path")) };
}

const content = (type: string, name: string) => ({ [type]: { schema: { $ref: V3_PREFIX + name } } });

function operationOf({ query, body, answer, action, gvk }: Operation): JsonObject {
  const taken = body === undefined ? {} : { requestBody: { content: content("*/*", body) } };
  return {
    parameters: query.map((name) => parameter(name, "query")),
    ...taken,
    responses: { "200": { description: "OK", content: content("application/json", answer) } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { ...gvk },
  };
}

const parameter = (name: string, place: string): JsonObject => ({
  name,
  in: place,
  ...(place === "path" ? { required: true } : {}),
  schema: { type: PARAMETER_TYPES[name] ?? "string", uniqueItems: true },
});
