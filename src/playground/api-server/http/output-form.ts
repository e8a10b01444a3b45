// In which form a client wants objects: whole, as rows of a table, or their metadata only.

import { badRequest, notAcceptable } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { internalType } from "../go-types.ts";
import { stringAt } from "../json.ts";
import { bytesOf } from "../json-bytes.ts";
import { fromStorage, isShownAsKept } from "../operations/convert-version.ts";
import { type ResourceKind, storageKey } from "../resource-kind.ts";
import type { StoredObject } from "../store/stored-object.ts";
import { buildTable, hasListOrder, type IncludeObject, rowWithoutObject } from "../tables/build-table.ts";
import { negotiate, nothingAccepted, type Transforms, type Written } from "./media-types.ts";
import type { Piece } from "./respond.ts";
import { shownMetadata, showsAllMetadata } from "./shown-metadata.ts";

export interface OutputForm {
  readonly kind: "object" | "table" | "metadata" | "metadataList";
  readonly include: IncludeObject;
  /** apiVersion of tables and metadata. */
  readonly apiVersion: string;
  readonly written: Written;
}

const META = "meta.k8s.io";
const FORMS: Readonly<Record<string, OutputForm["kind"]>> = {
  Table: "table",
  PartialObjectMetadata: "metadata",
  PartialObjectMetadataList: "metadataList",
};
const VERSIONS = ["v1", "v1beta1"];

const transforms: Transforms = (written, { kind, group, version }) =>
  group === META &&
  VERSIONS.includes(version) &&
  FORMS[kind] !== undefined &&
  (kind !== "Table" || written !== "application/vnd.kubernetes.protobuf");

/** What has no rows of its own, a log, is no table either. */
export const withoutTables: Transforms = (written, as) => as.kind !== "Table" && transforms(written, as);

const STREAMED = ["application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch"];

/** Reads the Accept header. Throws 406 when nothing fits, 400 for a table of unknown objects. */
export function outputForm(accept: string, includeObject: string | null, verb: string): OutputForm {
  const accepted = negotiate(accept, transforms);
  if (verb === "watch" && accepted?.written === "application/yaml") throw nothingAccepted(STREAMED);
  if (accepted === undefined) throw nothingAccepted(verb === "watch" ? STREAMED : undefined);
  const { written, as } = accepted;
  const kind = as === undefined ? "object" : (FORMS[as.kind] ?? "object");
  const include = kind === "table" ? included(includeObject) : "Metadata";
  return { kind, include, apiVersion: `${META}/${as?.version ?? "v1"}`, written };
}

function included(text: string | null): IncludeObject {
  if (text === null || text === "" || text === "Metadata") return "Metadata";
  if (text === "Object" || text === "None") return text;
  const why = `includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: ${why}`);
}

const partial = new WeakMap<JsonObject, JsonObject>();

/** The PartialObjectMetadata of an object. */
export function metadataOnly(kind: ResourceKind, object: JsonObject, apiVersion: string): JsonObject {
  let known = partial.get(object);
  if (known?.["apiVersion"] !== apiVersion) {
    known = { kind: "PartialObjectMetadata", apiVersion, metadata: shownMetadata(kind, object) };
    partial.set(object, known);
  }
  return known;
}

/** One object in its kept form as bytes in the client's version and form. */
export function objectBytes(kind: ResourceKind, form: OutputForm, object: JsonObject): Buffer {
  const shown = fromStorage(kind, object);
  if (form.kind === "metadataList") {
    const why = `the requested object is not a list (*${internalType(kind)})`;
    throw notAcceptable(`you requested PartialObjectMetadataList, but ${why}`);
  }
  if (form.kind === "table") {
    const version = stringAt(shown, "metadata", "resourceVersion");
    const metadata = version === "" ? {} : { resourceVersion: version };
    return Buffer.from(JSON.stringify({ ...buildTable(kind, [shown], { ...form, columns: true }), metadata }));
  }
  return bytesOf(form.kind === "metadata" ? metadataOnly(kind, shown, form.apiVersion) : shown);
}

/** As `objectBytes`; what is shown as it is kept is not read. */
export function storedBytes(kind: ResourceKind, form: OutputForm, stored: StoredObject): Buffer {
  return form.kind === "object" && isShownAsKept(kind) ? stored.bytes : objectBytes(kind, form, stored.object());
}

export interface ListMetadata {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

/** A list in pieces, most of which are the bytes of its objects, shared with every other list. */
export function listPieces(
  kind: ResourceKind,
  form: OutputForm,
  objects: readonly StoredObject[],
  metadata: ListMetadata,
): readonly Piece[] {
  if (form.kind === "metadata") {
    const why = `the requested object is a list (*${internalType(kind, kind.listKind)})`;
    throw notAcceptable(`you requested PartialObjectMetadata, but ${why}`);
  }
  if (form.kind === "table") return tablePieces(kind, form, { objects, metadata });
  const [listKind, apiVersion] =
    form.kind === "metadataList"
      ? ["PartialObjectMetadataList", form.apiVersion]
      : [kind.listKind, kind.group === "" ? kind.version : `${kind.group}/${kind.version}`];
  // Lists of custom resources say that there is no further page.
  const told = kind.custom !== undefined && form.kind !== "metadataList" ? { continue: "", ...metadata } : metadata;
  // An empty one of this form has no items at all.
  if (form.kind === "metadataList" && objects.length === 0)
    return [Buffer.from(JSON.stringify({ kind: listKind, apiVersion, metadata: told, items: null }))];
  const head = JSON.stringify({ kind: listKind, apiVersion, metadata: told });
  const pieces: Piece[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
  const asKept = isShownAsKept(kind);
  for (const [index, stored] of objects.entries()) {
    if (index > 0) pieces.push(COMMA);
    if (form.kind === "metadataList")
      pieces.push(bytesOf(metadataOnly(kind, fromStorage(kind, stored.object()), form.apiVersion)));
    else if (kind.custom !== undefined) pieces.push(bytesOf(fromStorage(kind, stored.object())));
    else if (asKept && stored.restStart > 0) pieces.push(OPEN, rest(stored));
    else pieces.push(unnamed(fromStorage(kind, stored.object())));
  }
  pieces.push(END);
  return pieces;
}

const rest = ({ bytes, restStart }: StoredObject): Piece => ({ bytes, start: restStart, end: bytes.length });

/** An item of a built-in kind leaves out what its list says. */
function unnamed(object: JsonObject): Buffer {
  const { apiVersion: _, kind: _k, ...fields } = object;
  return Buffer.from(JSON.stringify(fields));
}

/** Rows of objects as they are kept hold the bytes of their metadata. */
function tablePieces(
  kind: ResourceKind,
  form: OutputForm,
  list: { readonly objects: readonly StoredObject[]; readonly metadata: ListMetadata },
): readonly Piece[] {
  const { objects, metadata } = list;
  const options = { ...form, columns: true };
  if (objects.length === 0) {
    const empty = { ...buildTable(kind, [], options), metadata };
    return [Buffer.from(JSON.stringify(isPrinted(kind) ? empty : { ...empty, rows: null }))];
  }
  if (form.include !== "Metadata" || !isShownAsKept(kind) || !hasListOrder(kind) || !showsAllMetadata(kind)) {
    const shown = objects.map((stored) => fromStorage(kind, stored.object()));
    return [Buffer.from(JSON.stringify({ ...buildTable(kind, shown, options), metadata }))];
  }
  const { rows: _, ...head } = buildTable(kind, [], options);
  const pieces: Piece[] = [Buffer.from(`${JSON.stringify({ ...head, metadata }).slice(0, -1)},"rows":[`)];
  const row = rowWithoutObject(kind);
  const rowObject = `"object":{"kind":"PartialObjectMetadata","apiVersion":"${form.apiVersion}","metadata":`;
  for (const [index, stored] of objects.entries()) {
    const before = JSON.stringify(row(stored.object())).slice(0, -1);
    pieces.push(Buffer.from(`${index > 0 ? "," : ""}${before},${rowObject}`), stored.metadataPiece(), ROW_END);
  }
  pieces.push(END);
  return pieces;
}

/** Kinds of which Kubernetes prints nothing of their own: their empty tables have no rows at all. */
const UNPRINTED = new Set([
  "/limitranges",
  "storage.k8s.io/csistoragecapacities",
  "apiextensions.k8s.io/customresourcedefinitions",
  "rbac.authorization.k8s.io/roles",
  "rbac.authorization.k8s.io/clusterroles",
]);
const isPrinted = (kind: ResourceKind) => !UNPRINTED.has(storageKey(kind));

const ROW_END = Buffer.from("}}");
const OPEN = Buffer.from("{");
const COMMA = Buffer.from(",");
const END = Buffer.from("]}\n");
