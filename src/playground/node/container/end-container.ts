import type { Clock } from "#base/clock";
import { type AttemptTarget, attemptProbe } from "../probes/probe-attempt.ts";
import type { ContainerProcess } from "./container-process.ts";

/** What a container still gets to end by itself when its preStop hook used up the grace period. */
const LEAST_GRACE_MS = 2000;

/** Ends a container in Kubernetes' order: preStop hook, SIGTERM, grace period, SIGKILL. Resolves when it is gone. */
export async function endContainer(
  running: ContainerProcess,
  target: AttemptTarget,
  graceSeconds: number,
  clock: Clock,
): Promise<void> {
  const gone = new AbortController();
  const exited = running.exited.then(() => gone.abort());
  const wait = (ms: number) => clock.sleep(ms, gone.signal).catch(() => undefined);
  const deadline = clock.now() + graceSeconds * 1000;
  const hook = target.container.lifecycle?.preStop;
  if (hook && graceSeconds > 0) {
    const seconds = hook.sleep?.seconds;
    const hooked = seconds === undefined ? attemptProbe(hook, target, graceSeconds * 1000) : wait(seconds * 1000);
    await Promise.race([hooked, wait(graceSeconds * 1000)]);
  }
  if (graceSeconds > 0) {
    running.signal("SIGTERM");
    await wait(Math.max(hook ? LEAST_GRACE_MS : 0, deadline - clock.now()));
  }
  running.signal("SIGKILL");
  await exited;
}
