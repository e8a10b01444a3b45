// How long from `playground up` to the first alternation of versions, by phase, and how much memory everything takes.
// `npm run bench:guide -- --help` tells how to run it.
import { existsSync } from "node:fs";
import { cpus } from "node:os";
import { numberOf, readFlags } from "../tools/read-flags.mjs";
import { GUIDE, measureGuide, median, type Run } from "./measure-guide.ts";

const GOAL = { seconds: 10, mebibytes: 1536 };

const HELP = `npm run bench:guide -- [flags]

Drives every command of the guide without waiting for a person, and prints how long each phase takes and what all programs
hold in memory. Set-up must be done; nothing else should load the machine.

      --runs N      how often; medians are printed (default 3)
      --page FILE   another page's commands
      --json        prints every run as JSON
  -h, --help        this text

Example: npm run bench:guide -- --runs 5
`;

const flags = readFlags({
  name: "bench:guide",
  help: HELP,
  options: {
    runs: { type: "string", default: "3" },
    page: { type: "string", default: GUIDE },
    json: { type: "boolean", default: false },
  },
  convert({ values: { runs, page, json } }) {
    if (!existsSync(page)) throw new Error(`--page ${page}: there is no such file`);
    return { runs: numberOf("--runs", runs), page, json };
  },
});

const runs: Run[] = [];
for (let run = 0; run < flags.runs; run += 1) runs.push(await measureGuide({ page: flags.page }));

if (flags.json) process.stdout.write(`${JSON.stringify(runs, undefined, 2)}\n`);
else {
  process.stdout.write(
    `${runs.length} runs, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}; medians\n\n`,
  );
  for (const [index, phase] of (runs[0]?.phases ?? []).entries()) {
    process.stdout.write(
      `  ${(median(runs.map((run) => run.phases[index]?.ms ?? 0)) / 1000).toFixed(2).padStart(6)} s  ${phase.name}\n`,
    );
  }
  const total = median(runs.map((run) => run.totalMs)) / 1000;
  process.stdout.write(
    `  ${total.toFixed(2).padStart(6)} s  from playground up to the first alternation (goal ${GOAL.seconds} s)\n\n`,
  );
  const last = runs.at(-1)?.memory ?? [];
  for (const row of last)
    process.stdout.write(`  ${row.pssMiB.toFixed(1).padStart(7)} MiB PSS  ${row.count} x ${row.program}\n`);
  const sum = last.reduce((all, row) => all + row.pssMiB, 0);
  process.stdout.write(`  ${sum.toFixed(1).padStart(7)} MiB PSS  together (goal ${GOAL.mebibytes} MiB)\n`);
}
