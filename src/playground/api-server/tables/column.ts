import type { JsonObject, JsonValue } from "../contract.ts";
import { stringAt } from "../json.ts";
import { age } from "./durations.ts";

export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  /** A cell that no definition tells of, as a real server has one. */
  readonly untold?: boolean;
  readonly format?: string;
  readonly description?: string;
  /** What it shows, where no record of a server tells: the column has the field's description. */
  readonly field?: string;
  /** 1 for columns that only `-o wide` shows. */
  readonly priority?: number;
  readonly cell: (object: JsonObject) => JsonValue;
}

export const nameColumn: Column = {
  name: "Name",
  type: "string",
  format: "name",
  cell: (object) => stringAt(object, "metadata", "name"),
};

export const ageColumn: Column = {
  name: "Age",
  type: "string",
  cell: (object) => age(stringAt(object, "metadata", "creationTimestamp")),
};

/** When it was made, for kinds whose table has no columns of their own. */
export const createdColumn: Column = {
  name: "Created At",
  type: "date",
  cell: (object) => stringAt(object, "metadata", "creationTimestamp") || "0001-01-01T00:00:00Z",
};

/** `a=b,c=d`, sorted; `<none>` for none. */
export function labelsText(labels: JsonObject): string {
  const texts = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return texts.map(([key, value]) => `${key}=${String(value)}`).join(",") || "<none>";
}

export function textColumn(name: string, cell: (object: JsonObject) => JsonValue, priority = 0): Column {
  return { name, type: "string", priority, cell };
}

export function numberColumn(name: string, cell: (object: JsonObject) => JsonValue): Column {
  return { name, type: "integer", cell };
}
