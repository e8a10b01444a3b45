// When a container that ended starts again: Kubernetes' rules and back-off, as pure steps.
import type { Container, Pod } from "#api/kubernetes/gen/types";

export const BACK_OFF = { firstMs: 10_000, maxMs: 300_000, resetAfterMs: 600_000 } as const;

export type RestartPolicy = "Always" | "OnFailure" | "Never";

export function restartPolicyOf(word: string | undefined): RestartPolicy {
  return word === "OnFailure" || word === "Never" ? word : "Always";
}

/** Whether the container of that pod starts again: its own rules, then its own policy, then the pod's. */
export function shouldRestart(container: Container, pod: Pod, exitCode: number): boolean {
  const { restartPolicy, restartPolicyRules = [] } = container;
  if (restartPolicy === undefined) return byPolicy(restartPolicyOf(pod.spec?.restartPolicy), exitCode);
  const rule = restartPolicyRules.find(({ exitCodes }) => matches(exitCodes, exitCode));
  return rule?.action === "Restart" || byPolicy(restartPolicyOf(restartPolicy), exitCode);
}

/** An init container that has done its work is done; one that runs beside the others is not. */
export function isDone(container: Container, pod: Pod, run: { isInit: boolean; exitCode: number }): boolean {
  const once = run.isInit && container.restartPolicy !== "Always";
  return (once && run.exitCode === 0) || !shouldRestart(container, pod, run.exitCode);
}

type ExitCodes = NonNullable<NonNullable<Container["restartPolicyRules"]>[number]["exitCodes"]>;

function matches(exitCodes: ExitCodes | undefined, exitCode: number): boolean {
  const { operator, values = [] } = exitCodes ?? {};
  if (operator === "In") return values.includes(exitCode);
  return operator === "NotIn" && !values.includes(exitCode);
}

function byPolicy(policy: RestartPolicy, exitCode: number): boolean {
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

/** As Go writes durations, and so kubelets: `10s`, `1m20s`, `5m0s`. */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`;
}
