// From a sequence that shows a difference to the smallest one found that still does.
import type { Json, JsonMap, Sequence, Step } from "../step.ts";
import { isMap, referencesOf } from "./fill-in.ts";
import type { StepResult } from "./run-sequence.ts";

export interface Shrunk {
  readonly example: Sequence;
  readonly result: StepResult;
}

const MOST_RUNS = 60;

/**
 * Leaves out steps, then fields of bodies, one at a time, as long as `shows` gives a result. Undefined: not even the
 * whole sequence showed it again.
 */
export async function shrink(
  sequence: Sequence,
  shows: (candidate: Sequence) => Promise<StepResult | undefined>,
): Promise<Shrunk | undefined> {
  let runs = 0;
  let best: Shrunk | undefined;
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (++runs > MOST_RUNS) return false;
    const example = { ...sequence, steps };
    const result = await shows(example);
    if (result === undefined) return false;
    best = { example, result };
    return true;
  };
  if (!(await attempt(sequence.steps))) return undefined;
  for (let i = sequence.steps.length - 2; i >= 0; i--) {
    const steps: readonly Step[] = best?.example.steps ?? sequence.steps;
    const gone = sequence.steps[i];
    if (gone === undefined || isReferenced(gone, steps)) continue;
    await attempt(steps.filter(({ id }) => id !== gone.id));
  }
  await shrinkBodies(() => best?.example.steps ?? sequence.steps, attempt);
  return best;
}

const isReferenced = (step: Step, steps: readonly Step[]) =>
  steps.some((other) => referencesOf(other).includes(step.id));

async function shrinkBodies(current: () => readonly Step[], attempt: (steps: readonly Step[]) => Promise<boolean>) {
  for (const { id } of current()) {
    let again = true;
    while (again) {
      again = false;
      const step = current().find((candidate) => candidate.id === id);
      if (step?.body === undefined || !("json" in step.body)) break;
      for (const smaller of smallerThan(step.body.json)) {
        const steps = current().map((one) => (one.id === id ? { ...one, body: { json: smaller } } : one));
        if (await attempt(steps)) {
          again = true;
          break;
        }
      }
    }
  }
}

/** The value with one optional field less, at most three levels deep. */
function smallerThan(value: Json, depth = 0): Json[] {
  if (!isMap(value) || depth > 2) return [];
  return Object.keys(value).flatMap((key) => {
    if (depth === 0 && /^(apiVersion|kind)$/.test(key)) return [];
    const { [key]: inner, ...rest } = value;
    const without: JsonMap[] = depth === 0 && key === "metadata" ? [] : [rest];
    return [...without, ...smallerThan(inner ?? null, depth + 1).map((smaller) => ({ ...value, [key]: smaller }))];
  });
}
