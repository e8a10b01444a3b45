import type { Probe } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import type { AttemptResult } from "./probe-attempt.ts";

export interface ProbeLoopOptions {
  readonly probe: Probe;
  readonly clock: Clock;
  readonly attempt: (timeoutMs: number) => Promise<AttemptResult>;
  /** Called when the verdict turns: successThreshold or failureThreshold was reached. */
  readonly onVerdict: (ok: boolean, output: string) => void;
  /** Called for every failed attempt that counts. */
  readonly onFailure: (output: string) => void;
  /** Called for an attempt that could not be made, at most once a period. */
  readonly onUnknown: (output: string) => void;
  readonly signal: AbortSignal;
}

/** Timers are not exact, and a kubelet would have counted what comes a little early. */
const SLACK = 0.95;
const EAGER = { firstMs: 100, factor: 1.3 } as const;

/**
 * Probes until the signal aborts. Unlike a kubelet it does not sit out a whole period before the first success: it
 * asks again after 100 ms, then a little later each time up to the period, so that a pod is ready when its program is.
 * Only one failure a period counts towards failureThreshold, so nothing is given up earlier than on a kubelet.
 */
export async function runProbe(options: ProbeLoopOptions): Promise<void> {
  const { probe, clock, signal } = options;
  const period = (probe.periodSeconds || 10) * 1000;
  if (!(await pause(clock, (probe.initialDelaySeconds ?? 0) * 1000, signal))) return;
  const judge = verdictCounter(probe, period, clock.now());
  let wait: number = EAGER.firstMs;
  const doubt = doubtTeller(period, options.onUnknown);
  for (;;) {
    const startedAt = clock.now();
    const { ok, output, unknown } = await options.attempt((probe.timeoutSeconds || 1) * 1000);
    if (signal.aborted) return;
    const judged = unknown ? doubt(output, startedAt) : judge(ok, clock.now());
    if (judged.counted && !ok) options.onFailure(output);
    if (judged.verdict !== undefined) options.onVerdict(judged.verdict, output);
    if (ok) wait = period;
    if (!(await pause(clock, Math.min(wait, period) - (clock.now() - startedAt), signal))) return;
    wait *= EAGER.factor;
  }
}

/** False when the signal ended the wait. */
async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  if (ms <= 0) return true;
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  );
}

interface Judged {
  readonly counted: boolean;
  /** Set when a threshold was reached by this attempt. */
  readonly verdict?: boolean;
}

/** What could not be asked changes no verdict. */
function doubtTeller(periodMs: number, tell: (output: string) => void): (output: string, now: number) => Judged {
  let last = Number.NEGATIVE_INFINITY;
  return (output, now) => {
    if (now - last >= periodMs * SLACK) {
      last = now;
      tell(output);
    }
    return { counted: false };
  };
}

/** Counts successes and failures in a row; failures closer together than a period, or to the start, do not count. */
export function verdictCounter(
  probe: Probe,
  periodMs: number,
  startedAt: number,
): (ok: boolean, now: number) => Judged {
  const thresholds = { true: probe.successThreshold || 1, false: probe.failureThreshold || 3 } as const;
  let row: { ok: boolean; count: number } | undefined;
  let lastFailure = startedAt;
  return (ok, now) => {
    if (!ok && now - lastFailure < periodMs * SLACK) return { counted: false };
    if (!ok) lastFailure = now;
    row = row?.ok === ok ? { ok, count: row.count + 1 } : { ok, count: 1 };
    const reached = row.count >= thresholds[ok ? "true" : "false"];
    return reached ? { counted: true, verdict: ok } : { counted: true };
  };
}
