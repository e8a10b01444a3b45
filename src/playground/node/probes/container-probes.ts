import type { Container, Probe } from "#api/kubernetes/gen/types";
import type { Clock } from "#base/clock";
import { type AttemptTarget, attemptProbe } from "./probe-attempt.ts";
import { runProbe } from "./probe-loop.ts";

export interface ContainerProbesOptions {
  readonly container: Container;
  readonly target: AttemptTarget;
  readonly clock: Clock;
  readonly record: (type: "Normal" | "Warning", reason: string, message: string) => void;
  readonly signal: AbortSignal;
  readonly onState: (change: { started?: boolean; ready?: boolean }) => void;
  /** The startup or liveness probe failed for good. */
  readonly onDead: (kind: "liveness" | "startup") => void;
}

/** Runs the three probes of a running container: the startup probe first, the others once it has succeeded. */
export function watchProbes(options: ContainerProbesOptions): void {
  const { container } = options;
  if (!container.startupProbe) {
    watchStarted(options);
    return;
  }
  const startup = new AbortController();
  const signal = AbortSignal.any([options.signal, startup.signal]);
  watch({ ...options, signal }, "Startup", container.startupProbe, (ok) => {
    startup.abort();
    if (!ok) return options.onDead("startup");
    options.onState({ started: true, ready: !container.readinessProbe });
    watchStarted(options);
  });
}

function watchStarted(options: ContainerProbesOptions): void {
  const { readinessProbe, livenessProbe } = options.container;
  if (readinessProbe) watch(options, "Readiness", readinessProbe, (ready) => options.onState({ ready }));
  if (!livenessProbe) return;
  const alive = new AbortController();
  const signal = AbortSignal.any([options.signal, alive.signal]);
  watch({ ...options, signal }, "Liveness", livenessProbe, (ok) => {
    if (ok) return;
    alive.abort();
    options.onDead("liveness");
  });
}

function watch(
  options: ContainerProbesOptions,
  kind: "Startup" | "Readiness" | "Liveness",
  probe: Probe,
  onVerdict: (ok: boolean) => void,
): void {
  let last: boolean | undefined;
  void runProbe({
    probe,
    clock: options.clock,
    signal: options.signal,
    attempt: (timeoutMs) => attemptProbe(probe, options.target, timeoutMs),
    onFailure: (output) => options.record("Warning", "Unhealthy", `${kind} probe failed: ${output}`),
    onUnknown: (output) =>
      options.record("Warning", "Unhealthy", `${kind} probe errored and resulted in unknown state: ${output}`),
    onVerdict: (ok) => {
      if (ok === last && kind !== "Liveness") return;
      last = ok;
      onVerdict(ok);
    },
  });
}
