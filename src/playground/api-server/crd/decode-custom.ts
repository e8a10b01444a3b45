// From a body as it came in to a custom resource of the version in which the client spoke.
import type { WriteContext } from "../api-context.ts";
import { badRequest, type FieldError, invalid } from "../api-errors.ts";
import type { JsonObject, JsonValue } from "../contract.ts";
import { isObject, stringAt } from "../json.ts";
import { apiVersionOf, parseApiVersion, type ResourceKind } from "../resource-kind.ts";
import type { Schema } from "../schema/schema.ts";
import { decodeObject } from "../validation/decode-object.ts";
import { defaultCustom, pruneCustom, pruneNulls } from "./custom-form.ts";

const OBJECT_META: Schema = { $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" };

/** Prunes, warns of what was unknown or refuses it, fills in defaults. Throws 400 or 422. */
export function decodeCustom(kind: ResourceKind, body: JsonObject, context: WriteContext): JsonObject {
  const object = decodeApplied(kind, body, context);
  defaultCustom(kind.custom?.form ?? {}, object);
  return object;
}

/** The same without defaults: who applies owns only what they say. */
export function decodeApplied(kind: ResourceKind, body: JsonObject, context: WriteContext): JsonObject {
  refuseWithoutKind(kind, body, context);
  const said = saidBy(kind, body);
  const object: JsonObject = structuredClone(body);
  const unknown = readMetadata(said, object, "");
  if (said.form !== undefined) {
    unknown.push(...pruneCustom(said.form, object));
    pruneNulls(said.form, object);
    unknown.push(...readEmbedded(said, said.form, { value: object, path: "" }));
  }
  reportUnknown(said, unknown, context);
  checkKind(kind, body);
  return object;
}

/** What a body says that it is: it is read as that, whatever it should have been. */
interface Said {
  /** Begins what is told of it. */
  readonly handled: string;
  /** The schema of its version; undefined for what is no resource of the kind. */
  readonly form: Schema | undefined;
}

/** A version that the kind does not have knows no fields. */
const NOTHING: Schema = {};

function saidBy(kind: ResourceKind, body: JsonObject): Said {
  const { group, version } = parseApiVersion(body["apiVersion"]);
  const given = stringAt(body, "kind");
  const handled = `${given} in version ${JSON.stringify(version)} cannot be handled as a ${given}`;
  const isOwn = group === kind.group && given === kind.kind;
  if (!isOwn) return { handled, form: undefined };
  const form = version === kind.version ? kind.custom?.form : kind.custom?.forms?.get(version);
  return { handled, form: form ?? NOTHING };
}

function refuseWithoutKind(kind: ResourceKind, body: JsonObject, context: WriteContext): void {
  if (stringAt(body, "kind") !== "") return;
  const text = JSON.stringify(body);
  const missing = `Object 'Kind' is missing in '${text}'`;
  if (context.fieldValidation === "Ignore") {
    const handled = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
    throw badRequest(`${handled}: ${missing}`);
  }
  const short = text.length > 30 ? `${text.slice(0, 30)} ...` : text;
  throw badRequest(`the object provided is unrecognized (must be of type ${kind.kind}): ${missing} (${short})`);
}

function checkKind(kind: ResourceKind, body: JsonObject): void {
  const [apiVersion, given, wanted] = [stringAt(body, "apiVersion"), stringAt(body, "kind"), apiVersionOf(kind)];
  if (apiVersion !== wanted) {
    throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`);
  }
  if (given === kind.kind) return;
  const error: FieldError = { field: "kind", type: "FieldValueInvalid", value: given, detail: `must be ${kind.kind}` };
  throw invalid({ group: kind.group, kind: given }, stringAt(body, "metadata", "name"), [error]);
}

/** Puts metadata in order in place; gives the paths of what it does not know. Throws 400 for wrong types. */
function readMetadata(said: Said, object: JsonObject, path: string): string[] {
  const given = object["metadata"];
  if (given === undefined || given === null) {
    delete object["metadata"];
    return [];
  }
  const at = path === "" ? "metadata" : `${path}.metadata`;
  const inside = path === "" ? "" : `${at}: Invalid value: ${JSON.stringify(given)}: `;
  if (!isObject(given)) {
    throw badRequest(
      `${said.handled}: ${inside}json: cannot unmarshal ${jsonType(given)} into Go value of type v1.ObjectMeta`,
    );
  }
  const { object: decoded, report } = decodeObject(OBJECT_META, given);
  const [wrong] = report.mistyped;
  if (wrong !== undefined) {
    const field = wrong.path.replace(/\[\d+\]/g, "").split(".");
    const name = field[0] === "labels" || field[0] === "annotations" ? field[0] : field.join(".");
    throw badRequest(
      `${said.handled}: ${inside}json: cannot unmarshal ${jsonType(wrong.value)} into Go struct field ObjectMeta.${name} of type ${GO_TYPES[wrong.expected] ?? wrong.expected}`,
    );
  }
  object["metadata"] = decoded;
  return report.unknown.map((field) => `${at}.${field}`);
}

const GO_TYPES: Readonly<Record<string, string>> = { boolean: "bool", integer: "int64", array: "[]string" };

function jsonType(value: JsonValue): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return value === null ? "null" : typeof value;
}

/** Metadata of resources inside the resource. */
function readEmbedded(
  said: Said,
  schema: Schema,
  { value, path }: { readonly value: JsonValue; readonly path: string },
): string[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return [];
    return value.flatMap((item, index) => readEmbedded(said, items, { value: item, path: `${path}[${index}]` }));
  }
  if (!isObject(value)) return [];
  const own = schema["x-kubernetes-embedded-resource"] === true ? readMetadata(said, value, path) : [];
  const below = Object.entries(value).flatMap(([key, child]) => {
    const rest = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
    const known = schema.properties?.[key] ?? rest;
    const at = path === "" ? key : `${path}.${key}`;
    return known === undefined ? [] : readEmbedded(said, known, { value: child, path: at });
  });
  return [...own, ...below];
}

function reportUnknown(said: Said, unknown: readonly string[], context: WriteContext): void {
  if (unknown.length === 0 || context.fieldValidation === "Ignore") return;
  const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (context.fieldValidation === "Warn") context.warnings.push(...texts);
  else throw badRequest(`${said.handled}: strict decoding error: ${texts.join(", ")}`);
}
