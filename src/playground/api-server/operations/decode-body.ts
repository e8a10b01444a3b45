// From a body as it came in to an object of its kind in its kept form, or a refusal.
import type { WriteContext } from "../api-context.ts";
import { badRequest, type FieldError, invalid } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { decodeCustom } from "../crd/decode-custom.ts";
import { isObject, objectAt, stringAt } from "../json.ts";
import { apiVersionOf, type ResourceKind } from "../resource-kind.ts";
import { type DecodeReport, decodeObject } from "../validation/decode-object.ts";
import { toStorage } from "./convert-version.ts";

/** Checks apiVersion and kind, drops or refuses unknown fields, refuses wrong types. Throws 400 or 422. */
export function decodeBody(kind: ResourceKind, body: JsonValue, context: WriteContext): JsonObject {
  if (!isObject(body)) throw badRequest("the body must hold one object");
  if (kind.custom !== undefined) return toStorage(kind, decodeCustom(kind, body, context));
  checkKind(kind, body);
  const named = { ...body, apiVersion: apiVersionOf(kind), kind: kind.kind };
  const { object, report } = decodeObject(kind.schema, named);
  refuseMistyped(kind, object, report);
  reportUnknown(kind, report.unknown, context);
  if (kind.custom === undefined) refuseBadBase64(kind, object);
  return toStorage(kind, object);
}

function checkKind(kind: ResourceKind, body: JsonObject): void {
  const apiVersion = stringAt(body, "apiVersion");
  if (apiVersion !== "" && apiVersion !== apiVersionOf(kind)) {
    throw badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${apiVersionOf(kind)})`,
    );
  }
  const given = stringAt(body, "kind");
  if (given !== "" && given !== kind.kind) {
    throw badRequest(`the kind in the data (${given}) does not match the expected kind (${kind.kind})`);
  }
  if (kind.custom !== undefined && (apiVersion === "" || given === "")) {
    throw badRequest(`Object '${given === "" ? "Kind" : "apiVersion"}' is missing in the body`);
  }
}

const handled = (kind: ResourceKind) =>
  `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;

function refuseMistyped(kind: ResourceKind, object: JsonObject, report: DecodeReport): void {
  const first = report.mistyped[0];
  if (first === undefined) return;
  if (kind.custom === undefined || first.path.startsWith("metadata")) {
    const got = jsonType(first.value);
    throw badRequest(
      `${handled(kind)}: json: cannot unmarshal ${got} into Go struct field ${kind.kind}.${first.path} of type ${GO_TYPES[first.expected] ?? first.expected}`,
    );
  }
  const errors = report.mistyped.map(
    ({ path, expected, value }): FieldError => ({
      field: path,
      type: "FieldValueTypeInvalid",
      value: jsonType(value),
      detail: `${path} in body must be of type ${expected}: ${JSON.stringify(jsonType(value))}`,
    }),
  );
  throw invalid(kind, stringAt(object, "metadata", "name"), errors);
}

/** Clients and people know these errors from Go. */
const GO_TYPES: Readonly<Record<string, string>> = {
  boolean: "bool",
  integer: "int32",
  number: "float64",
  array: "[]",
  object: "struct",
};

function jsonType(value: JsonValue): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return value === null ? "null" : typeof value;
}

function reportUnknown(kind: ResourceKind, unknown: readonly string[], context: WriteContext): void {
  if (unknown.length === 0 || context.fieldValidation === "Ignore") return;
  const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (context.fieldValidation === "Warn") context.warnings.push(...texts);
  else throw badRequest(`${handled(kind)}: strict decoding error: ${texts.join(", ")}`);
}

const BASE64 = /^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$/;

/** Binary data of ConfigMaps and Secrets is base64 on the wire. */
function refuseBadBase64(kind: ResourceKind, object: JsonObject): void {
  if (kind.group !== "" || (kind.kind !== "Secret" && kind.kind !== "ConfigMap")) return;
  const field = kind.kind === "Secret" ? "data" : "binaryData";
  for (const [key, value] of Object.entries(objectAt(object, field))) {
    if (typeof value === "string" && BASE64.test(value)) continue;
    throw badRequest(`${handled(kind)}: illegal base64 data in ${field}[${JSON.stringify(key)}]`);
  }
}
