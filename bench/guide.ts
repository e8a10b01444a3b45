// How long from `playground up` to the first alternation of versions, by phase, and how much memory everything takes.
// Run with: npm run bench:guide [-- --runs 3 --page FILE]. Set-up must be done; nothing else should load the machine.
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { GUIDE, measureGuide, median, type Run } from "./measure-guide.ts";

const GOAL = { seconds: 10, mebibytes: 1536 };

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    page: { type: "string", default: GUIDE },
    json: { type: "boolean", default: false },
  },
});

const runs: Run[] = [];
for (let run = 0; run < Number(values.runs); run += 1) runs.push(await measureGuide({ page: values.page }));

if (values.json) process.stdout.write(`${JSON.stringify(runs, undefined, 2)}\n`);
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
