// The differences that stand, each with its reason: `known-differences.yaml`. A matcher names one place of one sort of
// answer; the list may only shrink.
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { Step } from "../step.ts";
import type { Difference } from "./compare.ts";

export interface KnownDifference {
  readonly id: string;
  readonly reason: string;
  /** All regular expressions, matched against the whole; absent: anything. */
  readonly verb?: string;
  readonly kind?: string;
  readonly path?: string;
  /** Request path. */
  readonly request?: string;
  /** Against the differing values as JSON. */
  readonly real?: string;
  readonly embedded?: string;
}

const FILE = new URL("../known-differences.yaml", import.meta.url);

export function readKnownDifferences(): readonly KnownDifference[] {
  return (parse(readFileSync(FILE, "utf8")) as { differences: KnownDifference[] | null }).differences ?? [];
}

/** The entry that tells of this difference. */
export function knownDifference(
  known: readonly KnownDifference[],
  step: Step,
  difference: Difference,
): KnownDifference | undefined {
  return known.find(
    (entry) =>
      matches(entry.verb, step.verb) &&
      matches(entry.kind, step.kind) &&
      matches(entry.path, difference.path) &&
      matches(entry.request, `${step.method} ${step.path}`) &&
      matches(entry.real, JSON.stringify(difference.real)) &&
      matches(entry.embedded, JSON.stringify(difference.embedded)),
  );
}

const compiled = new Map<string, RegExp>();

function matches(pattern: string | undefined, value: string | undefined): boolean {
  if (pattern === undefined) return true;
  const known = compiled.get(pattern) ?? new RegExp(`^(?:${pattern})$`, "s");
  compiled.set(pattern, known);
  return known.test(value ?? "undefined");
}
