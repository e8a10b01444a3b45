import type { Random } from "../generate/random.ts";
import type { JsonMap } from "../step.ts";

/** How objects of one kind are made and changed. Everything but apiVersion, kind and metadata. */
export interface Template {
  /** A valid object; small, from few values, so that two of them often agree. */
  make(random: Random): JsonMap;
  /** JSON merge patches that a server accepts. */
  readonly changes?: readonly JsonMap[];
  /** JSON merge patches that it refuses: wrong values, immutable fields. */
  readonly refused?: readonly JsonMap[];
  /** Merge patches of the status, for kinds with that subresource. */
  readonly status?: readonly JsonMap[];
  /** The name in the cluster that one of the few words of the pool stands for; by default it ends with the sequence's. */
  nameOf?(word: string): string;
  /** Names that must be unique in the cluster and are checked against the rest of the object: never taken at random. */
  readonly fixedNames?: boolean;
}

export type Templates = Readonly<Record<string, Template>>;
