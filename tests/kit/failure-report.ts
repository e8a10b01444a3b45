// What each failure cost, as a table for people; a copy goes to the path in ISTHMUS_REPORT (.json or Markdown).
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type Call, RATE } from "./load.ts";

export interface CaseResult {
  readonly title: string;
  readonly calls: number;
  readonly failed: number;
  /** From the failure to the beginning of the last call that failed; 0 when none did. */
  readonly failingSeconds: number;
  /** From the failure until what failed was ready again and both clients saw both versions. */
  readonly healedSeconds: number;
  readonly slowestMs: number;
  /** How many calls failed, by what they were told. */
  readonly errors: Readonly<Record<string, number>>;
}

export function judge(title: string, calls: readonly Call[], failedAt: number, healedAt: number): CaseResult {
  const failed = calls.filter((call) => call.error !== undefined);
  const errors: Record<string, number> = {};
  for (const { context, error = "" } of failed) {
    const key = `${context}: ${error}`;
    errors[key] = (errors[key] ?? 0) + 1;
  }
  const seconds = (at: number) => Math.max(0, Math.round((at - failedAt) / 10) / 100);
  return {
    title,
    calls: calls.length,
    failed: failed.length,
    failingSeconds: seconds(Math.max(failedAt, ...failed.map(({ at }) => at))),
    healedSeconds: seconds(healedAt),
    slowestMs: Math.max(0, ...calls.map(({ ms }) => ms)),
    errors,
  };
}

const HEADINGS = ["case", "failed / calls", "failing for", "healed after", "slowest call"];

export function renderTable(results: readonly CaseResult[]): string {
  const rows = results.map((result) => [
    result.title,
    `${result.failed} / ${result.calls}`,
    `${result.failingSeconds} s`,
    `${result.healedSeconds} s`,
    `${result.slowestMs} ms`,
  ]);
  const table = [HEADINGS, HEADINGS.map(() => "---"), ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map(
      (row) =>
        `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0, cell === "---" ? "-" : " ")).join(" | ")} |\n`,
    )
    .join("");
}

/** Prints the table and adds it to the report, if one was asked for; both say what each kind of failed call was told. */
export function report(heading: string, results: readonly CaseResult[]): void {
  const what = `${heading} (${RATE} calls a second from each cluster)`;
  const table = renderTable(results);
  const errors = results.flatMap(({ title, errors }) =>
    Object.entries(errors).map(([error, count]) => `  ${title}: ${count} x ${error}\n`),
  );
  process.stdout.write(`\n${what}\n${table}${errors.join("")}`);
  const path = process.env.ISTHMUS_REPORT;
  if (path !== undefined) writeReport(path, what, results);
}

function writeReport(path: string, what: string, results: readonly CaseResult[]): void {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  if (!path.endsWith(".json")) {
    writeFileSync(path, `${before}## ${what}\n\n${renderTable(results)}\n`);
    return;
  }
  const sections: unknown[] = before === "" ? [] : JSON.parse(before);
  writeFileSync(path, `${JSON.stringify([...sections, { what, results }], null, 2)}\n`);
}
