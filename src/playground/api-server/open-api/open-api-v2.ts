// OpenAPI v2: one document of all kinds. Old kubectls read it for `explain`, to check objects before they send them and
// to learn whether a kind takes `dryRun`.
import type { JsonObject } from "../contract.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { customListSchema, customSchema } from "./custom-schemas.ts";
import { definitionOf, listDefinitionOf, type Operation, operationsOf, type PathOperations } from "./operations.ts";
import { publishedNames, publishedSchema, V2_PREFIX } from "./published-schemas.ts";
import { PARAMETER_TYPES } from "./verb-rows.ts";

export function openApiV2(kinds: readonly ResourceKind[], release: string): JsonObject {
  const paths = kinds.flatMap(operationsOf).map((row) => [row.path, pathItem(row)]);
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: release },
    paths: Object.fromEntries(paths),
    definitions: definitionsOf(kinds),
  };
}

function definitionsOf(kinds: readonly ResourceKind[]): JsonObject {
  const builtin = publishedNames().map((name) => [name, publishedSchema(name) ?? {}] as const);
  const custom = kinds
    .filter((kind) => kind.custom !== undefined)
    .flatMap((kind) => [
      [definitionOf(kind), customSchema(kind, true)] as const,
      [listDefinitionOf(kind), customListSchema(kind, true)] as const,
    ]);
  return Object.fromEntries([...custom, ...builtin]);
}

function pathItem({ places, operations }: PathOperations): JsonObject {
  const item = Object.fromEntries(operations.map((operation) => [operation.method, operationOf(operation)]));
  return { ...item, parameters: places.map((name) => parameter(name, "path")) };
}

function operationOf({ query, body, answer, action = "", gvk }: Operation): JsonObject {
  const schema = (name: string) => ({ $ref: V2_PREFIX + name });
  const taken = body === undefined ? [] : [{ name: "body", in: "body", schema: schema(body.definition) }];
  const shown = answer === undefined ? { type: "string" } : schema(answer);
  return {
    parameters: [...taken, ...query.map((name) => parameter(name, "query"))],
    responses: { "200": { description: "OK", schema: shown } },
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": { ...gvk },
  };
}

const parameter = (name: string, place: string): JsonObject => ({
  uniqueItems: true,
  type: PARAMETER_TYPES[name] ?? "string",
  name,
  in: place,
  ...(place === "path" ? { required: true } : {}),
});
