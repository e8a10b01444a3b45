// Whether the differential test sees a planted fault: the same sequences once without it and once with it, and a
// difference that only the second has.
import { areasNamed } from "../areas/areas.ts";
import { makeSequence } from "../generate/make-sequence.ts";
import { type Pair, runSequence, type SequenceResult } from "../run/run-sequence.ts";
import type { Fault } from "./plant.ts";

export interface FaultResult {
  readonly name: string;
  readonly found: boolean;
  /** Requests sent to the faulty server until it was found, or in vain. */
  readonly requests: number;
  /** The first difference that gave it away. */
  readonly shownBy: string;
}

let runs = 0;

export async function findFault(
  pair: Pair,
  fault: Fault,
  { seed, mostRequests }: { seed: number; mostRequests: number },
): Promise<FaultResult> {
  const faulty = { ...pair, embedded: fault.wrap(pair.embedded) };
  const areas = areasNamed(fault.areas);
  let requests = 0;
  for (let index = 0; requests < mostRequests; index++) {
    const sequence = makeSequence(seed, index, areas);
    const name = `f${(++runs).toString(36)}`;
    const without = placesOf(await runSequence(sequence, { pair, name: `${name}ax` }));
    const result = await runSequence(sequence, { pair: faulty, name: `${name}bx` });
    requests += result.requests;
    const shownBy = [...placesOf(result)].find((place) => !without.has(place));
    if (shownBy !== undefined) return { name: fault.name, found: true, requests, shownBy };
  }
  return { name: fault.name, found: false, requests, shownBy: "" };
}

function placesOf({ results }: SequenceResult): Set<string> {
  return new Set(
    results.flatMap(({ step, differences }) =>
      differences.map(({ path }) => `${step.verb} ${step.kind} (step ${step.id}): ${path}`),
    ),
  );
}
