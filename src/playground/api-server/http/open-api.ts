// OpenAPI v3, made from the same schemas that validate. Kubectl reads it for `explain` and to learn that the server
// validates fields itself.
import { contentHash } from "#base/content-hash";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject } from "../json.ts";
import type { Registry } from "../registry.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { definition, type Schema } from "../schema/schema.ts";

const REF_PREFIX = "#/components/schemas/";
const pathOf = (kind: { readonly group: string; readonly version: string }) =>
  kind.group === "" ? `api/${kind.version}` : `apis/${kind.group}/${kind.version}`;

/** `/openapi/v3`: one document for each group and version. */
export function openApiIndex(registry: Registry): JsonObject {
  const paths: JsonObject = {};
  for (const kind of registry.kinds()) {
    const hash = contentHash(`${pathOf(kind)} ${registry.generation()}`).toUpperCase();
    paths[pathOf(kind)] = { serverRelativeURL: `/openapi/v3/${pathOf(kind)}?hash=${hash}` };
  }
  return { paths };
}

/** `/openapi/v3/PATH`; undefined when nothing is served there. */
export function openApiDocument(registry: Registry, path: string): JsonObject | undefined {
  const kinds = registry.kinds().filter((kind) => pathOf(kind) === path);
  if (kinds.length === 0) return undefined;
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const kind of kinds) {
    const name = kind.definition ?? `${kind.group.split(".").reverse().join(".")}.${kind.version}.${kind.kind}`;
    addSchema(schemas, name, withKind(kind));
    Object.assign(paths, operations(kind, name));
  }
  return { openapi: "3.0.0", info: { title: "Kubernetes", version: "v1.35.0" }, paths, components: { schemas } };
}

const gvk = (kind: ResourceKind): JsonObject => ({ group: kind.group, version: kind.version, kind: kind.kind });

function withKind(kind: ResourceKind): Schema {
  if (kind.custom === undefined) return kind.schema;
  const named = { ...kind.schema, "x-kubernetes-group-version-kind": [gvk(kind)] };
  return named;
}

/** Adds a schema and all that it names. */
function addSchema(schemas: JsonObject, name: string, schema: Schema): void {
  if (schemas[name] !== undefined) return;
  const shown = JSON.parse(JSON.stringify(schema, (key, value) => (key === "x-go-struct" ? undefined : value)));
  schemas[name] = shown;
  addReferences(schemas, shown);
}

function addReferences(schemas: JsonObject, value: JsonValue): void {
  if (Array.isArray(value)) for (const item of value) addReferences(schemas, item);
  if (!isObject(value)) return;
  const ref = value["$ref"];
  if (typeof ref === "string" && ref.startsWith(REF_PREFIX)) {
    const name = ref.slice(REF_PREFIX.length);
    addSchema(schemas, name, definition(name));
  }
  for (const child of Object.values(value)) if (typeof child === "object") addReferences(schemas, child);
}

function operations(kind: ResourceKind, name: string): JsonObject {
  const scope = kind.namespaced ? "/namespaces/{namespace}" : "";
  const collection = `/${pathOf(kind)}${scope}/${kind.plural}`;
  const validation = ["dryRun", "fieldManager", "fieldValidation"].map((query) => parameter(query, "query"));
  const scoped = kind.namespaced ? [parameter("namespace", "path")] : [];
  const answer = {
    "200": { description: "OK", content: { "application/json": { schema: { $ref: REF_PREFIX + name } } } },
  };
  const operation = (action: string, parameters: JsonObject[]): JsonObject => ({
    parameters,
    responses: answer,
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": gvk(kind),
  });
  const out: JsonObject = {
    [collection]: { parameters: scoped, post: operation("post", validation) },
  };
  if (!kind.stored) return out;
  const list: JsonObject = { get: operation("list", []) };
  out[collection] = { parameters: scoped, ...list, post: operation("post", validation) };
  out[`${collection}/{name}`] = {
    parameters: [parameter("name", "path"), ...scoped],
    get: operation("get", []),
    put: operation("put", validation),
    patch: operation("patch", [...validation, parameter("force", "query")]),
    delete: operation("delete", [parameter("dryRun", "query")]),
  };
  return out;
}

const parameter = (name: string, place: string): JsonObject => ({
  name,
  in: place,
  ...(place === "path" ? { required: true } : {}),
  schema: { type: "string", uniqueItems: true },
});
