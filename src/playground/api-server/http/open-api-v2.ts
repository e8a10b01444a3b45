// The least OpenAPI v2 document that old clients need: for each kind that its patch takes `dryRun`. Without it kubectl
// 1.20 refuses `diff` and `--dry-run=server`; schemas are left out, so that it leaves validation to the server. Only the
// protobuf form is asked for, written here by hand: a message is a list of fields, each a number with text or a message.
import type { Registry } from "../registry.ts";
import type { ResourceKind } from "../resource-kind.ts";

/** Not `...v2@v1.0...` as the registered name has it: clients cannot parse the at sign in a media type. */
export const OPEN_API_V2_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/** Numbers of the fields of gnostic's openapi.v2.Document and what lies in it. */
const FIELD = {
  document: { swagger: 1, info: 2, paths: 8 },
  info: { title: 1, version: 2 },
  paths: { path: 2 },
  named: { name: 1, value: 2 },
  pathItem: { patch: 8 },
  operation: { parameters: 8, vendorExtension: 13 },
  parametersItem: { parameter: 1 },
  parameter: { nonBody: 2 },
  nonBody: { query: 3 },
  query: { in: 2, name: 4 },
  any: { yaml: 2 },
} as const;

const LENGTH_DELIMITED = 2;

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

/** One field that holds text or messages. */
function field(number: number, ...content: readonly (string | Buffer)[]): Buffer {
  const body = Buffer.concat(content.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece)));
  return Buffer.concat([Buffer.from([...varint(number * 8 + LENGTH_DELIMITED), ...varint(body.length)]), body]);
}

/** `/openapi/v2` as bytes. */
export function openApiV2(registry: Registry): Buffer {
  const paths = registry
    .kinds()
    .filter((kind) => kind.stored)
    .map(path);
  return Buffer.concat([
    field(FIELD.document.swagger, "2.0"),
    field(FIELD.document.info, field(FIELD.info.title, "Kubernetes"), field(FIELD.info.version, "v1.35.0")),
    field(FIELD.document.paths, ...paths),
  ]);
}

function path(kind: ResourceKind): Buffer {
  const root = kind.group === "" ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  const name = `${root}${kind.namespaced ? "/namespaces/{namespace}" : ""}/${kind.plural}/{name}`;
  const patch = field(FIELD.pathItem.patch, dryRunParameter(), kindExtension(kind));
  return field(FIELD.paths.path, field(FIELD.named.name, name), field(FIELD.named.value, patch));
}

function dryRunParameter(): Buffer {
  const query = field(FIELD.nonBody.query, field(FIELD.query.in, "query"), field(FIELD.query.name, "dryRun"));
  const parameter = field(FIELD.parametersItem.parameter, field(FIELD.parameter.nonBody, query));
  return field(FIELD.operation.parameters, parameter);
}

function kindExtension({ group, version, kind }: ResourceKind): Buffer {
  const yaml = field(FIELD.any.yaml, `group: "${group}"\nkind: ${kind}\nversion: ${version}\n`);
  const name = field(FIELD.named.name, "x-kubernetes-group-version-kind");
  return field(FIELD.operation.vendorExtension, name, field(FIELD.named.value, yaml));
}
