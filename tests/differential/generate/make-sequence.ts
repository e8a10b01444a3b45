import type { Area } from "../areas/area.ts";
import { AREAS } from "../areas/areas.ts";
import type { Sequence } from "../step.ts";
import { SequenceBuilder } from "./builder.ts";
import { createRandom } from "./random.ts";

/** The same seed, number and choice of areas give the same sequence. */
export function makeSequence(seed: number, index: number, areas: readonly Area[] = AREAS): Sequence {
  const random = createRandom(seed).fork(index);
  const area = random.weighted(areas);
  const builder = new SequenceBuilder(random);
  area.make(builder);
  return { area: area.name, seed, index, steps: builder.steps };
}
