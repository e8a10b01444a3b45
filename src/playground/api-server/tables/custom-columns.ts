import type { JsonObject, JsonValue } from "../contract.ts";
import type { CustomKind, PrinterColumn } from "../resource-kind.ts";
import { ageColumn, type Column, nameColumn } from "./column.ts";
import { age } from "./durations.ts";
import { jsonPath } from "./json-path.ts";

const name: Column = { ...nameColumn, field: "meta_v1.ObjectMeta.name" };
const created: Column = { ...ageColumn, type: "date", field: "meta_v1.ObjectMeta.creationTimestamp" };

/** The columns that the definition gives, after the name; only the age when it gives none. */
export function customColumns(custom: CustomKind): readonly Column[] {
  if (custom.columns.length === 0) return [name, created];
  return [name, ...custom.columns.map(column)];
}

const TYPES = ["string", "integer", "number", "boolean", "date"] as const;

function column(definition: PrinterColumn): Column {
  return {
    name: definition.name,
    type: TYPES.find((type) => type === definition.type) ?? "string",
    ...(definition.format === undefined ? {} : { format: definition.format }),
    description:
      definition.description ?? `Custom resource definition column (in JSONPath format): ${definition.jsonPath}`,
    ...(definition.priority === undefined ? {} : { priority: definition.priority }),
    cell: (object) => cell(definition, object),
  };
}

/** No value prints as nothing; several as a list. */
function cell(definition: PrinterColumn, object: JsonObject): JsonValue {
  const values = jsonPath(definition.jsonPath, object);
  const value = values[0];
  if (value === undefined || value === null) return null;
  if (definition.type === "date") return age(String(value));
  if (values.length > 1) return values.map(text).join(",");
  return definition.type === "string" ? text(value) : value;
}

const text = (value: JsonValue) => (typeof value === "object" ? JSON.stringify(value) : String(value));
