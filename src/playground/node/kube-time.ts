import type { Clock } from "#base/clock";

/** Now as Kubernetes' Time: RFC 3339, whole seconds, UTC. */
export function kubeTime(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
}
