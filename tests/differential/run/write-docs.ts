// The table of a run in docs/kubernetes-compatibility.md, between two marks.
import { readFileSync, writeFileSync } from "node:fs";
import { withSection } from "../../kit/doc-section.ts";
import type { FaultResult } from "../faults/find-fault.ts";
import type { KnownDifference } from "./known-differences.ts";
import { shareText } from "./print.ts";
import type { RunReport } from "./run-differential.ts";

const FILE = new URL("../../../docs/kubernetes-compatibility.md", import.meta.url);
const MARKS = {
  begin: "<!-- differential: written by `npm run differential -- --write-docs` -->",
  end: "<!-- differential: end -->",
};

export interface Shown {
  readonly report: RunReport;
  readonly known: readonly KnownDifference[];
  readonly faults: readonly FaultResult[];
  /** Areas in which a long run showed no difference. */
  readonly held: ReadonlySet<string>;
}

/** Replaces the section, or appends it when the file has none. */
export function writeDocs(shown: Shown): void {
  writeFileSync(FILE, withSection(readFileSync(FILE, "utf8"), MARKS, sectionOf(shown)));
}

function sectionOf({ report, known, faults, held }: Shown): string {
  const areas = [...report.byArea]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([area, requests]) => {
      const differing = report.differing.get(area) ?? 0;
      const sorts = [...report.findings.values()].filter((finding) => finding.area === area).length;
      return `| ${area} | ${requests} | ${differing} | ${sorts} | ${held.has(area) ? "yes" : "no"} |`;
    });
  const found = faults.filter((fault) => fault.found).length;
  return [
    "## Request by request against a real API server",
    "",
    `\`npm run differential\` with seed ${report.seed}: ${report.requests} requests in ${report.sequences} sequences over ${report.byKind.size} kinds and`,
    `subresources; ${shareText(report)} % of the answers are equal in status, headers, body and events;`,
    `${report.findings.size} sorts of differences are open${faults.length === 0 ? "" : `; ${found} of ${faults.length} planted faults found`}.`,
    "In held areas a difference fails the end-to-end tests.",
    "",
    "| area | requests | answers that differ | sorts, first seen here | held |",
    "|---|---|---|---|---|",
    ...areas,
    "",
    "Known differences, with their reasons (`tests/differential/known-differences.yaml`; the list may only shrink):",
    "",
    ...known.map(({ id, reason }) => `- \`${id}\` (met ${report.known.get(id) ?? 0} times): ${reason}`),
    ...(faults.length === 0
      ? []
      : [
          "",
          "| planted fault | found after requests |",
          "|---|---|",
          ...faults.map(({ name, found: seen, requests }) => `| ${name} | ${seen ? requests : "not found"} |`),
        ]),
  ].join("\n");
}
