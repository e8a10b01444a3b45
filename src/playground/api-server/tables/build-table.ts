// Answers to `as=Table`: what kubectl prints is decided here.
import type { JsonObject } from "../contract.ts";
import { columnDescriptions } from "../gen/watched-forms.ts";
import { shownMetadata } from "../http/shown-metadata.ts";
import { numberAt } from "../json.ts";
import { apiVersionOf, type ResourceKind, storageKey } from "../resource-kind.ts";
import { BUILTIN_COLUMNS } from "./builtin-columns.ts";
import { ageColumn, type Column, nameColumn } from "./column.ts";
import { columnText, textOfField } from "./column-texts.ts";
import { customColumns } from "./custom-columns.ts";
import { podRowConditions } from "./pod-columns.ts";

export type IncludeObject = "Metadata" | "Object" | "None";

/** Kinds without columns of their own show name and age. */
function columnsOf(kind: ResourceKind): readonly Column[] {
  if (kind.custom !== undefined) return customColumns(kind.custom);
  return BUILTIN_COLUMNS[storageKey(kind)] ?? [nameColumn, ageColumn];
}

export interface TableOptions {
  readonly include: IncludeObject;
  /** Watches send the columns once only. */
  readonly columns: boolean;
  readonly apiVersion: string;
}

/** `objects` are in the client's version. */
export function buildTable(kind: ResourceKind, objects: readonly JsonObject[], options: TableOptions): JsonObject {
  const row = rowWithoutObject(kind);
  return {
    kind: "Table",
    apiVersion: options.apiVersion,
    metadata: {},
    columnDefinitions: options.columns ? definitions(kind, columnsOf(kind)) : null,
    rows: inOrder(kind, objects).map((object) => ({ ...row(object), ...rowObject(kind, object, options) })),
  };
}

/** Gives what a row says of an object, which is in the client's version, before it shows the object itself. */
export function rowWithoutObject(kind: ResourceKind): (object: JsonObject) => JsonObject {
  const columns = columnsOf(kind);
  const conditions = storageKey(kind) === "/pods" ? podRowConditions : () => ({});
  return (object) => ({ cells: columns.map((column) => column.cell(object)), ...conditions(object) });
}

/** Where a resource stands in the tables of what a server said. */
export function recordedPath(kind: ResourceKind): string {
  return `/${kind.group === "" ? "api" : "apis"}/${apiVersionOf(kind)}/${kind.plural}`;
}

function definitions(kind: ResourceKind, columns: readonly Column[]): JsonObject[] {
  const texts = columnDescriptions[recordedPath(kind)] ?? [];
  return columns
    .filter(({ untold }) => untold !== true)
    .map((column, index) => ({
      name: column.name,
      type: column.type,
      format: column.format ?? "",
      description:
        column.description ?? (column.field === undefined ? columnText(texts[index]) : textOfField(column.field)),
      priority: column.priority ?? 0,
    }));
}

/** Whether the rows of a table stand in the order of the list. */
export const hasListOrder = (kind: ResourceKind): boolean =>
  storageKey(kind) !== "flowcontrol.apiserver.k8s.io/flowschemas";

/** Flow schemas stand in the order in which they are tried. */
function inOrder(kind: ResourceKind, objects: readonly JsonObject[]): readonly JsonObject[] {
  if (hasListOrder(kind)) return objects;
  const precedence = (object: JsonObject) => numberAt(object, "spec", "matchingPrecedence") ?? 0;
  return objects.toSorted((a, b) => precedence(a) - precedence(b));
}

function rowObject(kind: ResourceKind, object: JsonObject, { include, apiVersion }: TableOptions): JsonObject {
  if (include === "None") return { object: null };
  if (include === "Object") return { object };
  return { object: { kind: "PartialObjectMetadata", apiVersion, metadata: shownMetadata(kind, object) } };
}
