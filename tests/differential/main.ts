// npm run differential: the embedded API server against a real one, request by request.
import { writeFileSync } from "node:fs";
import { numberOf, oneOf, readFlags } from "../../tools/read-flags.mjs";
import { whyNoRealApiServer } from "../kit/real-api-server.ts";
import { AREAS, areasNamed } from "./areas/areas.ts";
import { CONTROL, FAULTS } from "./faults/faults.ts";
import { type FaultResult, findFault } from "./faults/find-fault.ts";
import { type KnownDifference, readKnownDifferences } from "./run/known-differences.ts";
import { findingText, summaryText } from "./run/print.ts";
import { type RunReport, runDifferential } from "./run/run-differential.ts";
import { type ServerPair, startServers } from "./run/servers.ts";
import { writeDocs } from "./run/write-docs.ts";

const HELP = `npm run differential -- [flags]

Sends the same sequences of requests to a real kube-apiserver and to the embedded one and compares the answers.

  --requests N      how many requests, default 3000
  --seed N          of the generator, default a new one (printed)
  --minutes N       ends after this time at the latest
  --only AREAS      comma-separated: ${AREAS.map(({ name }) => name).join(", ")}
  --from N          first sequence number, to see one again: --seed S --from N --requests 1 --parallel 1
  --max N           ends after so many sorts of differences, default 10000
  --no-shrink       prints differences as they were found
  --parallel N      sequences at once, default 8
  --self            a real server against another real one: shows what the normaliser forgets
  --faults          plants ${FAULTS.length} faults one by one in the embedded server; each must be found
  --write-docs      writes the tables, planted faults included, into docs/kubernetes-compatibility.md
  --report FILE     writes all differences there
  -o json           prints the result as JSON
  -h, --help        this text

Example: npm run differential -- --requests 100000 --seed 7
Exit code: 0 no difference, 1 differences, 2 wrong usage.
`;

const MOST_SEED = 2 ** 31;

const FLAGS = readFlags({
  name: "differential",
  help: HELP,
  options: {
    requests: { type: "string", default: "3000" },
    seed: { type: "string" },
    only: { type: "string" },
    from: { type: "string" },
    minutes: { type: "string" },
    max: { type: "string", default: "10000" },
    parallel: { type: "string", default: "8" },
    "no-shrink": { type: "boolean", default: false },
    self: { type: "boolean", default: false },
    faults: { type: "boolean", default: false },
    "write-docs": { type: "boolean", default: false },
    report: { type: "string" },
    output: { type: "string", short: "o" },
  },
  convert({ values: { requests, seed, only, from, minutes, max, parallel, output, ...others } }) {
    const number = (flag: string, text: string | undefined, least: number) =>
      text === undefined ? undefined : numberOf(flag, text, least);
    return {
      ...others,
      requests: numberOf("--requests", requests),
      seed: number("--seed", seed, 0) ?? Math.floor(Math.random() * MOST_SEED),
      areas: only === undefined ? AREAS : areasNamed(only.split(",")),
      from: number("--from", from, 0),
      minutes: number("--minutes", minutes, 1),
      maxFindings: numberOf("--max", max),
      parallel: numberOf("--parallel", parallel),
      json: output !== undefined && oneOf("-o", output, ["json"]) === "json",
    };
  },
});

async function main(): Promise<number> {
  const why = whyNoRealApiServer();
  if (why !== undefined) {
    process.stderr.write(`${why}\n`);
    return 2;
  }
  const { seed, json, minutes, from } = FLAGS;
  const known = readKnownDifferences();
  process.stderr.write(`seed ${seed}: starting both servers\n`);
  const servers = await startServers({ twoReal: FLAGS.self });
  if (FLAGS.faults) {
    const results = await plantFaults(servers, seed).finally(() => servers.stop());
    return showFaults(results, seed, json);
  }
  const began = Date.now();
  let told = began;
  try {
    const report = await runDifferential({
      pair: servers,
      seed,
      requests: FLAGS.requests,
      areas: FLAGS.areas,
      known,
      parallel: FLAGS.parallel,
      maxFindings: FLAGS.maxFindings,
      shrink: !FLAGS["no-shrink"],
      ...(minutes === undefined ? {} : { deadline: began + minutes * 60_000 }),
      ...(from === undefined ? {} : { from }),
      onProgress({ requests, findings }) {
        if (Date.now() - told < 5000) return;
        told = Date.now();
        const rate = Math.round(requests / ((told - began) / 1000));
        process.stderr.write(
          `${requests} of ${FLAGS.requests} requests, ${rate}/s, ${findings.size} sorts of differences\n`,
        );
      },
    });
    const findings = [...report.findings.values()].sort((a, b) => b.count - a.count);
    const text = findings.map(findingText).join("\n\n");
    if (FLAGS.report !== undefined) writeFileSync(FLAGS.report, `${text}\n\n${summaryText(report)}\n`);
    if (json)
      process.stdout.write(
        `${JSON.stringify(report, (_key, value) => (value instanceof Map ? Object.fromEntries(value) : value), 2)}\n`,
      );
    else process.stdout.write(`${text}\n\n${summaryText(report)}\n`);
    if (FLAGS["write-docs"]) {
      const [, ...faults] = await plantFaults(servers, seed);
      const held = new Set(AREAS.filter((area) => area.held === true).map(({ name }) => name));
      writeDocs({ report, known, faults, held });
    }
    const stale = unmet(known, report);
    for (const { id } of stale) process.stderr.write(`known difference ${id} was not met once: remove it\n`);
    return findings.length + stale.length === 0 ? 0 : 1;
  } finally {
    await servers.stop();
  }
}

/** The control first: nothing planted, nothing to find. */
async function plantFaults(servers: ServerPair, seed: number): Promise<FaultResult[]> {
  const results: FaultResult[] = [];
  for (const fault of [CONTROL, ...FAULTS]) {
    const result = await findFault(servers, fault, { seed, mostRequests: 600 });
    results.push(result);
    process.stderr.write(`${result.found ? "found" : "not found"} after ${result.requests} requests: ${fault.name}\n`);
  }
  return results;
}

function showFaults(results: readonly FaultResult[], seed: number, json: boolean): number {
  const [control, ...planted] = results;
  const found = planted.filter((result) => result.found).length;
  if (json) process.stdout.write(`${JSON.stringify(results, undefined, 2)}\n`);
  else {
    for (const { name, requests, shownBy } of results) process.stdout.write(`${name} | ${requests} | ${shownBy}\n`);
    process.stdout.write(`seed ${seed}: ${found} of ${planted.length} planted faults found\n`);
  }
  return found === planted.length && control?.found === false ? 0 : 1;
}

/** In a run this long every entry of the known differences must have been met; one that was not has to go. */
const LONG_RUN = 50_000;

function unmet(known: readonly KnownDifference[], report: RunReport): readonly KnownDifference[] {
  return report.requests < LONG_RUN ? [] : known.filter(({ id }) => !report.known.has(id));
}

process.exitCode = await main();
