// OpenAPI v3: a document for each group and version. Kubectl reads it for `explain` and to learn that the server
// validates fields itself.
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject, objectsAt } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { customListSchema, customSchema } from "./custom-schemas.ts";
import { resourcesDocument } from "./discovery-operations.ts";
import { type Parameter, parametersOf, parameterText, parameterType } from "./operation-parameters.ts";
import {
  definitionOf,
  listDefinitionOf,
  type Operation,
  operationsOf,
  type PathOperations,
  WATCH_EVENT,
} from "./operations.ts";
import { publishedSchemaV3, V3_PREFIX } from "./published-schemas.ts";
import { ANSWER_DESCRIPTIONS } from "./verb-rows.ts";

const SECURITY = {
  securitySchemes: {
    BearerToken: { type: "apiKey", description: "Bearer Token authentication", name: "authorization", in: "header" },
  },
};

/** The document of kinds of one group and version, which are all built in or all custom. */
export function openApiV3(kinds: readonly ResourceKind[], release: string): JsonObject {
  const [first] = kinds;
  const isCustom = first?.custom !== undefined;
  const root = first === undefined || isCustom ? [] : [resourcesDocument(first)];
  const rows = [...root, ...kinds.flatMap(operationsOf)];
  if (!isCustom) return { ...documentOf(rows, release), components: { schemas: schemasOf(kinds, rows), ...SECURITY } };
  // The part of a real server that makes them says so.
  const info = { title: "Kubernetes CRD Swagger", version: "v0.1.0" };
  return { ...documentOf(rows, release), info, components: { schemas: schemasOf(kinds, rows) } };
}

/** A document of paths that lead to no objects. */
export function pathsV3(rows: readonly PathOperations[], release: string): JsonObject {
  const schemas = schemasOf([], rows);
  const shown = Object.keys(schemas).length === 0 ? {} : { schemas };
  return { ...documentOf(rows, release), components: { ...shown, ...SECURITY } };
}

function documentOf(rows: readonly PathOperations[], release: string): JsonObject {
  const paths = rows.map((row) => [row.path, pathItem(row)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  const info = { title: "Kubernetes", version: release };
  return { openapi: "3.0.0", info, paths: Object.fromEntries(paths) };
}

const DELETE_OPTIONS = "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions";
/** Groups of which the part of a real server that tells of custom resources does not know. */
const ELSEWHERE = ["admission.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "imagepolicy.k8s.io"];

/** Options of a deletion are of every group, of those that are known there. */
function forCustom(schemas: JsonObject): void {
  const options = schemas[DELETE_OPTIONS];
  if (!isObject(options)) return;
  const known = objectsAt(options, GVK).filter(({ group }) => !ELSEWHERE.includes(String(group)));
  schemas[DELETE_OPTIONS] = { ...options, [GVK]: known };
}

const GVK = "x-kubernetes-group-version-kind";

function schemasOf(kinds: readonly ResourceKind[], rows: readonly PathOperations[]): JsonObject {
  const schemas: JsonObject = {};
  for (const kind of kinds.filter(({ custom }) => custom !== undefined)) {
    schemas[definitionOf(kind)] = customSchema(kind, false);
    schemas[listDefinitionOf(kind)] = customListSchema(kind, false);
  }
  const own = Object.values(schemas);
  const named = rows.flatMap(({ operations }) =>
    operations.flatMap(({ body, answer }) => [body?.definition, answer].filter((name) => name !== undefined)),
  );
  const watched = kinds.some(({ custom, verbs }) => custom === undefined && verbs.includes("watch"));
  for (const name of [...named, ...(watched ? [WATCH_EVENT] : [])]) addSchema(schemas, name);
  for (const schema of own) addReferences(schemas, schema);
  if (own.length > 0) forCustom(schemas);
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

/** Parameters of all operations stand with the path, those of some with each. */
function pathItem(row: PathOperations): JsonObject {
  const { shared, own } = parametersOf(row, false);
  const methods = row.operations.map(
    (operation, index) => [operation.method, operationItem(operation, own[index] ?? [])] as const,
  );
  return { ...Object.fromEntries(methods), ...listed(shared) };
}

const listed = (parameters: readonly Parameter[]): JsonObject =>
  parameters.length === 0 ? {} : { parameters: parameters.map(parameter) };

function operationItem(
  { id, tag, sentence, body, answer, answerTypes, codes, action, gvk }: Operation,
  own: readonly Parameter[],
) {
  const shown = answer === undefined ? { type: "string" } : { $ref: V3_PREFIX + answer };
  const content = Object.fromEntries(answerTypes.toSorted().map((type) => [type, { schema: shown }]));
  const answers = codes.map(
    (code) => [String(code), { description: ANSWER_DESCRIPTIONS[code] ?? "", content }] as const,
  );
  return {
    tags: [tag],
    description: sentence,
    operationId: id,
    ...listed(own),
    ...(body === undefined ? {} : { requestBody: bodyItem(body) }),
    responses: { ...Object.fromEntries(answers), "401": { description: "Unauthorized" } },
    ...(action === undefined ? {} : { "x-kubernetes-action": action }),
    ...(gvk === undefined ? {} : { [GVK]: { ...gvk } }),
  };
}

function bodyItem({ definition, types, required }: NonNullable<Operation["body"]>): JsonObject {
  const schema = { $ref: V3_PREFIX + definition };
  const content = Object.fromEntries(types.toSorted().map((type) => [type, { schema }]));
  return { content, ...(required ? { required: true } : {}) };
}

const parameter = (one: Parameter): JsonObject => ({
  name: one.name,
  in: one.place,
  ...parameterText(one),
  ...(one.place === "path" ? { required: true } : {}),
  schema: { type: parameterType(one), uniqueItems: true },
});
