// The section on clients of docs/kubernetes-compatibility.md, written by a run of clients.test.ts with UPDATE_DOCS=1.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withSection } from "../../kit/doc-section.ts";
import type { KnownDifference } from "./known-differences.ts";

const FILE = join(import.meta.dirname, "../../../docs/kubernetes-compatibility.md");
const MARKS = { begin: "<!-- clients: made by tests/e2e/clients -->", end: "<!-- clients: end -->" };

/** What one client was asked, and of how many answers the same came from both servers. */
export interface ClientResult {
  readonly client: string;
  readonly what: string;
  asked: number;
  same: number;
}

export function writeCompatibilityTable(results: readonly ClientResult[], known: readonly KnownDifference[]): void {
  writeFileSync(FILE, withSection(readFileSync(FILE, "utf8"), MARKS, render(results, known)));
}

function render(results: readonly ClientResult[], known: readonly KnownDifference[]): string {
  return `## Clients

Each client asks the embedded API server and a real kube-apiserver 1.35.4 the same, with nothing else around them. What
kubectl prints on both outputs and its exit code are compared, but for ids, times, ages and the order of raw fields.
\`npx vitest run --project e2e tests/e2e/clients\`; with \`UPDATE_DOCS=1\` it writes this table.

| client | what it asks | questions | same answer |
|---|---|---|---|
${results.map(({ client, what, asked, same }) => `| ${client} | ${what} | ${asked} | ${same} |`).join("\n")}${differentText(known)}`;
}

function differentText(known: readonly KnownDifference[]): string {
  if (known.length === 0) return "";
  return `\n\nDifferent for a reason:\n\n${known.map(({ args, reason }) => `- \`kubectl ${args}\`: ${reason}`).join("\n")}`;
}
