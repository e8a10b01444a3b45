// When a container that ended starts again: Kubernetes' back-off, as pure steps.

export const BACK_OFF = { firstMs: 10_000, maxMs: 300_000, resetAfterMs: 600_000 } as const;

export type RestartPolicy = "Always" | "OnFailure" | "Never";

export function restartPolicyOf(word: string | undefined): RestartPolicy {
  return word === "OnFailure" || word === "Never" ? word : "Always";
}

export function shouldRestart(policy: RestartPolicy, exitCode: number): boolean {
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/**
 * The wait before the next start, given the wait before the last one (undefined: there was no restart yet) and how
 * long the container ran: at once the first time, then 10 s doubling to 5 min; ten good minutes forget it all.
 */
export function nextBackOff(lastMs: number | undefined, ranMs: number): number {
  if (lastMs === undefined || ranMs >= BACK_OFF.resetAfterMs) return 0;
  return lastMs === 0 ? BACK_OFF.firstMs : Math.min(lastMs * 2, BACK_OFF.maxMs);
}
