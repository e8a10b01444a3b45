import type { JsonObject, JsonValue } from "../contract.ts";
import { stringAt } from "../json.ts";
import { age } from "./durations.ts";

export interface Column {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "date";
  readonly format?: string;
  readonly description?: string;
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

export function textColumn(name: string, cell: (object: JsonObject) => JsonValue, priority = 0): Column {
  return { name, type: "string", priority, cell };
}

export function numberColumn(name: string, cell: (object: JsonObject) => JsonValue): Column {
  return { name, type: "integer", cell };
}
