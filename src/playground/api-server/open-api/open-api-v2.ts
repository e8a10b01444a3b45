// OpenAPI v2: one document of all kinds. Old kubectls read it for `explain`, to check objects before they send them and
// to learn whether a kind takes `dryRun`.
import type { JsonObject } from "../contract.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { customListSchema, customSchema } from "./custom-schemas.ts";
import { discoveryDocuments, resourcesDocument } from "./discovery-operations.ts";
import { type Parameter, parametersOf, parameterText, parameterType } from "./operation-parameters.ts";
import { definitionOf, listDefinitionOf, type Operation, operationsOf, type PathOperations } from "./operations.ts";
import { publishedNames, publishedSchema, V2_PREFIX } from "./published-schemas.ts";
import { sharedParameterName } from "./shared-parameter-name.ts";
import { ANSWER_DESCRIPTIONS } from "./verb-rows.ts";

const SECURITY = {
  securityDefinitions: {
    BearerToken: { description: "Bearer Token authentication", type: "apiKey", name: "authorization", in: "header" },
  },
  security: [{ BearerToken: [] }],
};

export function openApiV2(kinds: readonly ResourceKind[], release: string): JsonObject {
  const shared = new Map<string, JsonObject>();
  const paths = rowsOf(kinds).map((row) => [row.path, pathItem(row, shared)] as const);
  return {
    swagger: "2.0",
    info: { title: "Kubernetes", version: release },
    paths: sorted(paths),
    definitions: definitionsOf(kinds),
    parameters: sorted([...shared]),
    ...SECURITY,
  };
}

const sorted = (rows: (readonly [string, JsonObject])[]): JsonObject =>
  Object.fromEntries(rows.sort(([a], [b]) => (a < b ? -1 : 1)));

/** Of built-in groups and versions the documents of discovery too. */
function rowsOf(kinds: readonly ResourceKind[]): PathOperations[] {
  const builtin = kinds.filter(({ custom }) => custom === undefined);
  const versions = new Map(builtin.map((kind) => [`${kind.group}/${kind.version}`, kind]));
  return [
    ...kinds.flatMap(operationsOf),
    ...[...versions.values()].map(resourcesDocument),
    ...discoveryDocuments(builtin.map(({ group }) => group)).values(),
  ];
}

function definitionsOf(kinds: readonly ResourceKind[]): JsonObject {
  const builtin = publishedNames().map((name) => [name, publishedSchema(name) ?? {}] as const);
  const custom = kinds
    .filter((kind) => kind.custom !== undefined)
    .flatMap((kind) => [
      [definitionOf(kind), customSchema(kind, true)] as const,
      [listDefinitionOf(kind), customListSchema(kind, true)] as const,
    ]);
  return sorted([...custom, ...builtin]);
}

function pathItem(row: PathOperations, known: Map<string, JsonObject>): JsonObject {
  const { shared, own } = parametersOf(row, true);
  const methods = row.operations.map(
    (operation, index) => [operation.method, operationItem(operation, listed(own[index] ?? [], known))] as const,
  );
  return { ...Object.fromEntries(methods), ...listed(shared, known) };
}

function operationItem(operation: Operation, parameters: JsonObject): JsonObject {
  const { id, tag, sentence, takes, answer, answerTypes, codes, action, gvk } = operation;
  const schema = answer === undefined ? { type: "string" } : { $ref: V2_PREFIX + answer };
  const answers = codes.map(
    (code) => [String(code), { description: ANSWER_DESCRIPTIONS[code] ?? "", schema }] as const,
  );
  return {
    description: sentence,
    ...(takes.length === 0 ? {} : { consumes: [...takes] }),
    produces: [...answerTypes],
    schemes: ["https"],
    tags: [tag],
    operationId: id,
    ...parameters,
    responses: { ...Object.fromEntries(answers), "401": { description: "Unauthorized" } },
    ...(action === undefined ? {} : { "x-kubernetes-action": action }),
    ...(gvk === undefined
      ? {}
      : { "x-kubernetes-group-version-kind": { group: gvk.group, kind: gvk.kind, version: gvk.version } }),
  };
}

function listed(parameters: readonly Parameter[], known: Map<string, JsonObject>): JsonObject {
  if (parameters.length === 0) return {};
  return { parameters: parameters.map((parameter) => referred(parameter, itemOf(parameter), known)) };
}

/** What is the same in many operations stands in one place; old kubectls look for two in theirs. */
function referred({ name, place }: Parameter, item: JsonObject, known: Map<string, JsonObject>): JsonObject {
  const alone = name === "name" || (place === "query" && (name === "fieldValidation" || name === "dryRun"));
  if (alone || (place === "body" && !JSON.stringify(item).includes(MACHINERY))) return item;
  const shared = sharedParameterName(name, item);
  known.set(shared, item);
  return { $ref: `#/parameters/${shared}` };
}

const MACHINERY = `"${V2_PREFIX}io.k8s.apimachinery`;

function itemOf(parameter: Parameter): JsonObject {
  const { name, place, operation } = parameter;
  if (place === "body") {
    const { definition = "", required = false } = operation.body ?? {};
    return { name, in: place, ...(required ? { required } : {}), schema: { $ref: V2_PREFIX + definition } };
  }
  const said = { ...parameterText(parameter), name, in: place };
  return {
    uniqueItems: true,
    type: parameterType(parameter),
    ...said,
    ...(place === "path" ? { required: true } : {}),
  };
}
