import type { Area } from "./area.ts";
import { objects } from "./objects.ts";

export const AREAS: readonly Area[] = [objects];

/** The areas of these names; throws for an unknown one. */
export function areasNamed(names: readonly string[]): readonly Area[] {
  return names.map((name) => {
    const found = AREAS.find((area) => area.name === name);
    if (found === undefined) throw new Error(`no area ${name}; there are ${AREAS.map((area) => area.name).join(", ")}`);
    return found;
  });
}
