// What a person sees of the guide: one line a command, a table of who answered, and how to go on.

import type { PlaygroundStatus } from "../lifecycle/playground-status.ts";
import { renderColumns } from "../render-columns.ts";
import type { Spread } from "./call-spread.ts";
import type { CommandResult } from "./run-page.ts";

const WIDTH = 100;

/** One line: continuations joined, blanks folded, cut to the width of a terminal. */
export function shortCommand(text: string): string {
  const heredoc = /^(cat )<<\S+ (> \S+)/.exec(text);
  const line = heredoc === null ? text.replace(/\\\n/g, " ").replace(/\s+/g, " ") : `${heredoc[1]}... ${heredoc[2]}`;
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 3)}...` : line;
}

export function renderResult(result: CommandResult, index: number, total: number): string {
  const mark = result.exitCode === 0 ? "✔" : "✘";
  const seconds = (result.milliseconds / 1000).toFixed(1).padStart(5);
  const number = `${String(index + 1).padStart(2)}/${total}`;
  const answer = shortAnswer(result.output);
  return `${mark} ${number} ${seconds} s  ${shortCommand(result.command.text)}\n${answer === "" ? "" : `                → ${answer}\n`}`;
}

/** The last line that says something. */
function shortAnswer(output: string): string {
  const lines = output
    .trim()
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s*%|^\s*\d+\s+\d+\s|--:--/.test(line));
  const last =
    lines
      .at(-1)
      ?.trim()
      .replace(/\s{2,}/g, "  ") ?? "";
  const text = lines.length > 3 ? `${last} (${lines.length} lines)` : last;
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 3)}...` : text;
}

/** Client cluster x version x answering cluster, counts, errors. */
export function renderSpreads(spreads: readonly Spread[], homes: ReadonlyMap<string, string>): string {
  const rows = [["CLIENT", "VERSION", "ANSWERED BY", "CALLS", "ERRORS"]];
  for (const spread of spreads) {
    for (const answer of spread.answers) {
      rows.push([
        spread.client,
        answer.version,
        homes.get(answer.instance) ?? "?",
        `${answer.count} of ${spread.calls}`,
        "",
      ]);
    }
    if (spread.errors.length > 0)
      rows.push([spread.client, "-", "-", `${spread.errors.length} of ${spread.calls}`, spread.errors[0] ?? ""]);
  }
  return renderColumns(rows)
    .map((line) => `  ${line}\n`)
    .join("");
}

export function renderHowToGoOn(status: PlaygroundStatus): string {
  const contexts = status.clusters.map((cluster) => cluster.context).join(", ");
  const option = status.name === "default" ? "" : ` --name ${status.name}`;
  return `
Go on in another terminal:
  eval "$(./bin/isthmus playground env${option})"
  istioctl proxy-status --context=${status.clusters[0]?.context ?? "cluster1"}
  kubectl get pods -A --context=${status.clusters[0]?.context ?? "cluster1"}
kubeconfig ${status.kubeconfig}, contexts ${contexts}.
Ctrl-C here takes everything down.
`;
}
