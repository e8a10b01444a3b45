// The refusal of an apply that would change what other managers own.
import { ApiStatusError } from "../contract.ts";
import { type FieldSet, paths } from "./field-set.ts";
import type { FieldWriter } from "./managers.ts";

export interface Conflict {
  /** See `identify`. */
  readonly id: string;
  readonly by: FieldWriter;
  readonly fields: FieldSet;
}

/** 409 with one cause for each field. */
export function conflictError(conflicts: readonly Conflict[]): ApiStatusError {
  const told = [...conflicts]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ by, fields }) => ({ by: managerText(by), fields: paths(fields) }));
  const causes = told.flatMap(({ by, fields }) =>
    fields.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${by}`, field })),
  );
  const [first] = causes;
  const text =
    causes.length === 1 && first !== undefined
      ? `1 conflict: ${first.message}: ${first.field}`
      : `${causes.length} conflicts: ${told.map(conflictText).join("\n")}`;
  return new ApiStatusError(409, "Conflict", `Apply failed with ${text}`, { causes });
}

function managerText({ manager, operation, apiVersion, subresource }: FieldWriter): string {
  const door = subresource === "" ? "" : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(manager)}${door}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
}

const conflictText = ({ by, fields }: { readonly by: string; readonly fields: readonly string[] }) =>
  [`conflicts with ${by}:`, ...fields.map((field) => `- ${field}`)].join("\n");
