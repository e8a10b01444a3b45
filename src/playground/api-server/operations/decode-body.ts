// From a body as it came in to an object of its kind in its kept form, or a refusal.
import type { PatchTelling, WriteContext } from "../api-context.ts";
import { badRequest } from "../api-errors.ts";
import { ApiStatusError, type JsonObject, type JsonValue } from "../contract.ts";
import { decodeCustom } from "../crd/decode-custom.ts";
import { builtinKinds } from "../gen/kinds.ts";
import { internalType } from "../go-types.ts";
import { duplicateFields } from "../http/read-body.ts";
import { isObject, stringAt } from "../json.ts";
import { apiVersionOf, parseApiVersion, type ResourceKind } from "../resource-kind.ts";
import { definition } from "../schema/schema.ts";
import { type DecodeReport, decodeObject, type Mistyped } from "../validation/decode-object.ts";
import { toStorage } from "./convert-version.ts";
import { unstructuredFault } from "./unstructured-fault.ts";

/** Checks apiVersion and kind, drops or refuses unknown fields, refuses wrong types. Throws 400 or 422. */
export function decodeBody(kind: ResourceKind, sent: JsonValue, context: WriteContext): JsonObject {
  const body = sent === null && kind.custom === undefined ? {} : sent;
  if (!isObject(body)) throw badRequest(unrecognized(kind, body));
  if (kind.custom !== undefined) return toStorage(kind, decodeCustom(kind, body, context));
  checkKind(kind, body, context.patch);
  if (context.patch?.unstructured === false && stringAt(body, "apiVersion") === "")
    return decodeVersionless(kind, body, context);
  const named = { ...body, apiVersion: apiVersionOf(kind), kind: kind.kind };
  const { object, report } = decodeObject(kind.schema, named, kind.definition);
  refuseUnreadable(kind, report, context.patch);
  tellStrict(kind, [...duplicates(sent), ...report.unknown.map(unknownField)], context);
  return toStorage(kind, object);
}

/** What a patch leaves without a version is read as the server's own form, which knows none of the fields' names. */
function decodeVersionless(kind: ResourceKind, body: JsonObject, context: WriteContext): JsonObject {
  const { apiVersion: _, kind: _k, ...fields } = body;
  tellStrict(kind, Object.keys(fields).sort().map(unknownField), context);
  return toStorage(kind, { apiVersion: apiVersionOf(kind), kind: kind.kind });
}

const GO_VERSION_AND_KIND =
  'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function unrecognized(kind: ResourceKind, body: JsonValue): string {
  const fault = `json: cannot unmarshal ${jsonType(body)} into ${GO_VERSION_AND_KIND}`;
  const shown = Buffer.from(JSON.stringify(body)).toString("hex");
  return `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; json parse error: ${fault} (${shown})`;
}

const SCHEME = 'in scheme "pkg/runtime/scheme.go:111"';
const isKnown = (apiVersion: string, kind: string) =>
  builtinKinds.some((row) => (row.kind === kind || `${row.kind}List` === kind) && apiVersionOf(row) === apiVersion);

const kindNamed = (apiVersion: string, kind: string) =>
  builtinKinds.find((row) => row.kind === kind && apiVersionOf(row) === apiVersion);

/** A body may leave out what it is, but not be something else. */
function checkKind(kind: ResourceKind, body: JsonObject, patch: PatchTelling | undefined): void {
  const apiVersion = stringAt(body, "apiVersion") || apiVersionOf(kind);
  const given = stringAt(body, "kind") || kind.kind;
  if (apiVersion === apiVersionOf(kind) && given === kind.kind) return;
  const { group, version } = parseApiVersion(apiVersion);
  // What a patch leaves without a version is read as the server's own form.
  const internal = patch !== undefined && stringAt(body, "apiVersion") === "";
  const type = internal ? internalType({ ...kind, group }, given) : `${version}.${given}`;
  const row = kindNamed(apiVersion, given);
  // It is read as what it says that it is before anybody sees that this is not wanted.
  const fault =
    row === undefined ? undefined : jsonFault(decodeObject(definition(row.definition), body, row.definition).report);
  const why = isKnown(apiVersion, given)
    ? (fault ?? `converting (${type}) to (${internalType(kind)}): unknown conversion`)
    : `no kind ${JSON.stringify(given)} is registered for version ${JSON.stringify(apiVersion)} ${SCHEME}`;
  throw badRequest(`${given} in version ${JSON.stringify(version)} cannot be handled as a ${kind.kind}: ${why}`);
}

const handled = (kind: ResourceKind) =>
  `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;

function refuseUnreadable(kind: ResourceKind, report: DecodeReport, patch: PatchTelling | undefined): void {
  const fault = patch?.unstructured === true ? unstructuredFault(report) : jsonFault(report);
  if (fault === undefined) return;
  if (patch?.internal !== undefined) throw new ApiStatusError(500, "", patch.internal + fault);
  throw badRequest(`${handled(kind)}: ${fault}`);
}

function jsonFault({ mistyped, malformed }: DecodeReport): string | undefined {
  const [first] = mistyped;
  return first === undefined ? malformed[0] : mistypedText(first);
}

/** Clients and people know these errors from Go. */
function mistypedText({ value, goField, goType }: Mistyped): string {
  const number = typeof value === "number" && /^u?int/.test(goType) ? ` ${value}` : "";
  return `json: cannot unmarshal ${jsonType(value)}${number} into Go struct field ${goField} of type ${goType}`;
}

function jsonType(value: JsonValue): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return value === null ? "null" : typeof value;
}

const unknownField = (path: string) => `unknown field ${JSON.stringify(path)}`;
const duplicates = (body: JsonValue) => duplicateFields(body).map((path) => `duplicate field ${JSON.stringify(path)}`);

function tellStrict(kind: ResourceKind, found: readonly string[], context: WriteContext): void {
  const faults = [...(context.patch?.faults ?? []), ...found];
  if (faults.length === 0 || context.fieldValidation === "Ignore") return;
  if (context.fieldValidation === "Warn") context.warnings.push(...faults);
  else throw badRequest(`${handled(kind)}: strict decoding error: ${faults.join(", ")}`);
}
