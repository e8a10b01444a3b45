import type { FieldError } from "../api-errors.ts";
import type { Schema } from "../schema/schema.ts";
import type { ResourceCheck } from "./check-resource.ts";

export function checkRules(_form: Schema, _check: ResourceCheck): FieldError[] {
  return [];
}
