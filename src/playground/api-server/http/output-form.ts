// In which form a client wants objects: whole, as rows of a table, or their metadata only.

import { notAcceptable } from "../api-errors.ts";
import type { JsonObject } from "../contract.ts";
import { internalType } from "../go-types.ts";
import { objectAt } from "../json.ts";
import { bytesOf } from "../json-bytes.ts";
import { fromStorage } from "../operations/convert-version.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { buildTable, type IncludeObject } from "../tables/build-table.ts";

export interface OutputForm {
  readonly kind: "object" | "table" | "metadata" | "metadataList";
  readonly include: IncludeObject;
}

const META = "meta.k8s.io";

/** Reads the Accept header; the first form that the server knows wins. */
export function outputForm(accept: string, includeObject: string | null): OutputForm {
  const include = includeObject === "Object" || includeObject === "None" ? includeObject : "Metadata";
  for (const entry of accept.split(",")) {
    const [type = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const as = parameters.find((parameter) => parameter.startsWith("as="))?.slice(3);
    const known = parameters.includes(`g=${META}`) && parameters.some((parameter) => parameter.startsWith("v=v1"));
    if (type !== "application/json" && type !== "*/*" && type !== "") continue;
    if (as === "Table" && known) return { kind: "table", include };
    if (as === "PartialObjectMetadata" && known) return { kind: "metadata", include };
    if (as === "PartialObjectMetadataList" && known) return { kind: "metadataList", include };
    if (as === undefined) return { kind: "object", include };
  }
  return { kind: "object", include };
}

const partial = new WeakMap<JsonObject, JsonObject>();

/** The PartialObjectMetadata of an object. */
export function metadataOnly(object: JsonObject): JsonObject {
  let known = partial.get(object);
  if (known === undefined) {
    known = { kind: "PartialObjectMetadata", apiVersion: `${META}/v1`, metadata: objectAt(object, "metadata") };
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
  if (form.kind === "table")
    return Buffer.from(JSON.stringify(buildTable(kind, [shown], { include: form.include, columns: true })));
  return bytesOf(form.kind === "metadata" ? metadataOnly(shown) : shown);
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
  objects: readonly JsonObject[],
  metadata: ListMetadata,
): readonly Buffer[] {
  if (form.kind === "metadata") {
    const why = `the requested object is a list (*${internalType(kind, kind.listKind)})`;
    throw notAcceptable(`you requested PartialObjectMetadata, but ${why}`);
  }
  const shown = objects.map((object) => fromStorage(kind, object));
  if (form.kind === "table") {
    const table = buildTable(kind, shown, { include: form.include, columns: true });
    return [Buffer.from(JSON.stringify({ ...table, metadata }))];
  }
  const [listKind, apiVersion] =
    form.kind === "metadataList"
      ? ["PartialObjectMetadataList", `${META}/v1`]
      : [kind.listKind, kind.group === "" ? kind.version : `${kind.group}/${kind.version}`];
  // Lists of custom resources say that there is no further page.
  const told = kind.custom !== undefined && form.kind !== "metadataList" ? { continue: "", ...metadata } : metadata;
  // An empty one of this form has no items at all.
  if (form.kind === "metadataList" && objects.length === 0)
    return [Buffer.from(JSON.stringify({ kind: listKind, apiVersion, metadata: told, items: null }))];
  const head = JSON.stringify({ kind: listKind, apiVersion, metadata: told });
  const pieces: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
  for (const [index, object] of shown.entries()) {
    if (index > 0) pieces.push(COMMA);
    if (form.kind === "metadataList") pieces.push(bytesOf(metadataOnly(object)));
    else if (kind.custom !== undefined) pieces.push(bytesOf(object));
    else pieces.push(...unnamed(object));
  }
  pieces.push(END);
  return pieces;
}

/** An item of a built-in kind leaves out what its list says; the rest are the object's own bytes where its form allows. */
function unnamed(object: JsonObject): Buffer[] {
  const { apiVersion, kind, ...rest } = object;
  const [version, name] = [JSON.stringify(apiVersion), JSON.stringify(kind)];
  const bytes = bytesOf(object);
  for (const head of [`{"apiVersion":${version},"kind":${name},`, `{"kind":${name},"apiVersion":${version},`]) {
    const length = Buffer.byteLength(head);
    if (bytes.subarray(0, length).equals(Buffer.from(head))) return [OPEN, bytes.subarray(length)];
  }
  return [Buffer.from(JSON.stringify(rest))];
}

const OPEN = Buffer.from("{");
const COMMA = Buffer.from(",");
const END = Buffer.from("]}\n");
