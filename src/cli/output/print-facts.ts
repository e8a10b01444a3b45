import { stringify } from "yaml";
import { MeshError } from "#base/mesh-error";
import { type CliContext, printLine } from "../cli-context.ts";
import { renderTable } from "./table.ts";

export type OutputFormat = "table" | "json" | "yaml";

/** The value of `-o`; Istio's `short` is the table. Throws MeshError USAGE for anything else. */
export function parseFormat(text: string | undefined): OutputFormat {
  if (text === undefined || text === "table" || text === "short" || text === "") return "table";
  if (text === "json" || text === "yaml") return text;
  throw new MeshError("USAGE", `-o ${text} is not a format`, { hint: "use table, json or yaml" });
}

export interface Facts {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** What -o json and -o yaml print. */
  readonly data: unknown;
}

/** Prints facts in the wanted form, results on standard output only. */
export function printFacts(facts: Facts, format: OutputFormat, io: CliContext): void {
  if (format === "json") printLine(io.stdout, JSON.stringify(facts.data, undefined, 2));
  else if (format === "yaml") io.stdout.write(stringify(facts.data, { aliasDuplicateObjects: false, lineWidth: 0 }));
  else printLine(io.stdout, renderTable(facts.head, facts.rows));
}
