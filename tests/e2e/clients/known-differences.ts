// Steps of which the two servers' outputs may differ, each with its reason. It may only shrink: a step that no longer
// differs fails the test until its entry is gone.

export interface KnownDifference {
  readonly args: string;
  readonly reason: string;
}

export const KNOWN: readonly KnownDifference[] = [
  {
    args: `patch pod one -n steps -p {"spec":{"restartPolicy":"Always"}}`,
    reason: "after the sentence, which is the same, the real server prints both pods as its own Go structures",
  },
];
