// Steps of which the two servers' outputs may differ, each with its reason. It may only shrink: a step that no longer
// differs fails the test until its entry is gone.

export interface KnownDifference {
  readonly args: string;
  readonly reason: string;
}

export const KNOWN: readonly KnownDifference[] = [];
