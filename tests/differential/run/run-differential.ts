// Many sequences against both servers, several at once, until enough requests were sent.
import type { Area } from "../areas/area.ts";
import { makeSequence } from "../generate/make-sequence.ts";
import type { Sequence } from "../step.ts";
import { type Difference, signaturesOf } from "./compare.ts";
import { type KnownDifference, knownDifference } from "./known-differences.ts";
import { type Pair, runSequence, type StepResult } from "./run-sequence.ts";
import { shrink } from "./shrink.ts";

export interface RunOptions {
  readonly pair: Pair;
  readonly seed: number;
  /** Ends after the sequence in which this number is reached. */
  readonly requests: number;
  readonly areas: readonly Area[];
  readonly known: readonly KnownDifference[];
  /** No sequence begins after it; milliseconds since 1970. */
  readonly deadline?: number;
  /** Sequences at once. */
  readonly parallel: number;
  /** Ends when so many different ones were found. */
  readonly maxFindings: number;
  /** Shortens the first example of each finding. */
  readonly shrink: boolean;
  /** First sequence number, to look at one again. */
  readonly from?: number;
  readonly onProgress?: (report: RunReport) => void;
}

export interface Finding {
  readonly signature: string;
  readonly area: string;
  /** Sequence number of the first example. */
  readonly index: number;
  count: number;
  /** Verbs and kinds that showed it. */
  readonly seen: Map<string, number>;
  /** The steps of the shortest sequence known that shows it, with both answers to the last one. */
  example: Sequence;
  result: StepResult;
}

export interface RunReport {
  readonly seed: number;
  requests: number;
  sequences: number;
  /** Answers that differ and of which no known difference tells, by area. */
  readonly differing: Map<string, number>;
  /** Requests by verb, by kind and by area. */
  readonly byVerb: Map<string, number>;
  readonly byKind: Map<string, number>;
  readonly byArea: Map<string, number>;
  readonly findings: Map<string, Finding>;
  /** Requests in which an entry of the known differences matched, by id. */
  readonly known: Map<string, number>;
}

let names = 0;

/** A name for a sequence that was never used on these servers by this process. */
const freshName = () => `${(++names).toString(36)}x`;

export async function runDifferential(options: RunOptions): Promise<RunReport> {
  const report: RunReport = {
    seed: options.seed,
    requests: 0,
    sequences: 0,
    differing: new Map(),
    byVerb: new Map(),
    byKind: new Map(),
    byArea: new Map(),
    findings: new Map(),
    known: new Map(),
  };
  let next = options.from ?? 0;
  const worker = async () => {
    const { requests, maxFindings, deadline = Number.POSITIVE_INFINITY } = options;
    while (report.requests < requests && report.findings.size < maxFindings && Date.now() < deadline) {
      const sequence = makeSequence(options.seed, next++, options.areas);
      await runOne(options, report, sequence);
      report.sequences++;
      options.onProgress?.(report);
    }
  };
  await Promise.all(Array.from({ length: options.parallel }, worker));
  return report;
}

async function runOne(options: RunOptions, report: RunReport, sequence: Sequence): Promise<void> {
  const { pair, known } = options;
  const run = await runSequence(sequence, { pair, name: freshName() });
  report.requests += run.requests;
  add(report.byArea, sequence.area, run.requests);
  for (const result of run.results) {
    const { step } = result;
    add(report.byVerb, step.verb);
    add(report.byKind, step.kind);
    const open = unknownOf(known, result, report.known);
    if (open.length > 0) add(report.differing, sequence.area);
    for (const signature of signaturesOf(step.verb, step.kind, open)) {
      await note(options, report, { signature, sequence, result });
    }
  }
}

interface Found {
  readonly signature: string;
  readonly sequence: Sequence;
  readonly result: StepResult;
}

async function note(options: RunOptions, report: RunReport, { signature, sequence, result }: Found): Promise<void> {
  const { step } = result;
  let finding = report.findings.get(signature);
  if (finding !== undefined) {
    finding.count++;
    add(finding.seen, `${step.verb} ${step.kind}`);
    return;
  }
  const upTo = { ...sequence, steps: sequence.steps.filter(({ id }) => id <= step.id) };
  const seen = new Map([[`${step.verb} ${step.kind}`, 1]]);
  finding = { signature, area: sequence.area, index: sequence.index, count: 1, seen, example: upTo, result };
  report.findings.set(signature, finding);
  if (!options.shrink) return;
  const shorter = await shrink(upTo, (candidate) => showing(candidate, signature, options));
  if (shorter !== undefined) Object.assign(finding, shorter);
}

/** Runs a candidate under a new name; the result that shows the finding. */
async function showing(
  candidate: Sequence,
  signature: string,
  { pair, known }: RunOptions,
): Promise<StepResult | undefined> {
  const shows = (result: StepResult) => {
    const open = unknownOf(known, result);
    return signaturesOf(result.step.verb, result.step.kind, open).includes(signature);
  };
  const { results } = await runSequence(candidate, { pair, name: freshName(), stopAfter: shows });
  return results.find(shows);
}

/**
 * Whether a finding shows in one of two more runs of its sequence. One that does not came of the clock: real servers write
 * again what they hold already when it reaches them in another second than before.
 */
export async function showsAgain({ example, signature }: Finding, options: RunOptions): Promise<boolean> {
  for (let run = 0; run < 2; run++) if ((await showing(example, signature, options)) !== undefined) return true;
  return false;
}

/** What no entry tells of; counts the entries that do. */
export function unknownOf(
  known: readonly KnownDifference[],
  { step, differences }: StepResult,
  count?: Map<string, number>,
): Difference[] {
  return differences.filter((difference) => {
    const entry = knownDifference(known, step, difference);
    if (entry !== undefined && count !== undefined) add(count, entry.id);
    return entry === undefined;
  });
}

function add(counts: Map<string, number>, key: string, more = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + more);
}
