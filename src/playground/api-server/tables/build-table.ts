// Answers to `as=Table`: what kubectl prints is decided here.
import type { JsonObject } from "../contract.ts";
import { objectAt } from "../json.ts";
import type { ResourceKind } from "../resource-kind.ts";
import { storageKey } from "../resource-kind.ts";
import { BUILTIN_COLUMNS } from "./builtin-columns.ts";
import { ageColumn, type Column, nameColumn } from "./column.ts";
import { customColumns } from "./custom-columns.ts";

export type IncludeObject = "Metadata" | "Object" | "None";

/** Kinds without columns of their own show name and age. */
function columnsOf(kind: ResourceKind): readonly Column[] {
  if (kind.custom !== undefined) return customColumns(kind.custom);
  return BUILTIN_COLUMNS[storageKey(kind)] ?? [nameColumn, ageColumn];
}

/** `objects` are in the client's version. Watches send the columns once only. */
export function buildTable(
  kind: ResourceKind,
  objects: readonly JsonObject[],
  options: { readonly include: IncludeObject; readonly columns: boolean },
): JsonObject {
  const columns = columnsOf(kind);
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata: {},
    columnDefinitions: options.columns ? columns.map(columnDefinition) : null,
    rows: objects.map((object) => ({
      cells: columns.map((column) => column.cell(object)),
      ...rowObject(object, options.include),
    })),
  };
}

const columnDefinition = (column: Column): JsonObject => ({
  name: column.name,
  type: column.type,
  format: column.format ?? "",
  description: column.description ?? "",
  priority: column.priority ?? 0,
});

function rowObject(object: JsonObject, include: IncludeObject): JsonObject {
  if (include === "None") return {};
  if (include === "Object") return { object };
  const metadata = objectAt(object, "metadata");
  return { object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata } };
}
