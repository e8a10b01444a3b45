// A run in words: tables, and each finding as requests with both answers.

import type { Step } from "../step.ts";
import { belongsTo } from "./compare.ts";
import type { Finding, RunReport } from "./run-differential.ts";

export function findingText(finding: Finding): string {
  const { example, result } = finding;
  const { step } = result;
  const own = result.differences.filter((one) => belongsTo(finding.signature, step, one));
  const lines = [
    `## ${finding.signature}`,
    `area ${finding.area}, seed ${example.seed}, sequence ${finding.index}, seen ${finding.count} times: ${countsText(finding.seen).slice(0, 300)}`,
    ...example.steps.map((one) => requestText(one, one.id === step.id)),
    ...own
      .slice(0, 8)
      .map(
        ({ path, real, embedded }) => `    ${path}\n      real:     ${short(real)}\n      embedded: ${short(embedded)}`,
      ),
  ];
  if (own.length > 8) lines.push(`    … and ${own.length - 8} more places`);
  return lines.join("\n");
}

function requestText(step: Step, last: boolean): string {
  const user = step.user === undefined ? "" : ` as ${step.user}`;
  const headers = Object.entries(step.headers ?? {}).map(([name, value]) => ` [${name}: ${value}]`);
  const body =
    step.body === undefined
      ? ""
      : "raw" in step.body
        ? step.body.raw
        : "json" in step.body
          ? JSON.stringify(step.body.json)
          : `answer ${step.body.copyOf} with ${JSON.stringify(step.body.edit)}`;
  const watch = step.watch === undefined ? "" : ` watch ${JSON.stringify(step.watch)}`;
  return `${last ? ">" : " "} ${step.id}: ${step.method} ${step.path}${user}${headers.join("")}${watch} ${body.slice(0, 1500)}`;
}

const short = (value: unknown) => (value === undefined ? "(not there)" : JSON.stringify(value).slice(0, 1500));

/** Counts by name, greatest first. */
export function countsText(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(", ");
}

const sum = (counts: Iterable<number>) => [...counts].reduce((all, count) => all + count, 0);

/** Rounded down: all are equal only if all are. */
export function shareText(report: RunReport): string {
  return String(Math.floor(equalShare(report) * 100) / 100);
}

/** Of all answers, in percent. */
export function equalShare(report: RunReport): number {
  return 100 * (1 - sum(report.differing.values()) / Math.max(1, report.requests));
}

export function summaryText(report: RunReport): string {
  const known = sum(report.known.values());
  const areas = [...report.byArea].map(([area, requests]) => {
    const differing = report.differing.get(area) ?? 0;
    return `  ${area.padEnd(14)}${String(requests).padStart(8)} requests${String(differing).padStart(8)} answers differ`;
  });
  return [
    `seed ${report.seed}: ${report.requests} requests in ${report.sequences} sequences`,
    ...areas,
    `by verb: ${countsText(report.byVerb)}`,
    `by kind: ${countsText(report.byKind)}`,
    `known differences met ${known} times${known === 0 ? "" : ` (${countsText(report.known)})`}`,
    `${report.findings.size} sorts of differences in ${sum(report.differing.values())} answers; ${shareText(report)} % of the answers are equal`,
  ].join("\n");
}
