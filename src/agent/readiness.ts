import { errorMessage } from "#base/mesh-error";
import type { EnvoyAdmin } from "./envoy-admin.ts";

const FIRST =
  "^(server\\.state|listener_manager\\.workers_started|(cluster_manager\\.cds|listener_manager\\.lds)\\.update_success)$";
const LATER = "^server\\.state$";
const LIVE = 0;

export interface Readiness {
  /** Undefined when ready, else why not, one sentence. */
  whyNotReady(): Promise<string | undefined>;
  /** From now on never ready: the pod is going. */
  drain(): void;
}

/**
 * Ready: Envoy lives, got its first clusters and listeners, and its workers run. Once ready, only its state is asked:
 * configuration that was there does not go away.
 */
export function createReadiness(admin: EnvoyAdmin): Readiness {
  let wasReady = false;
  let isDraining = false;
  return {
    async whyNotReady() {
      if (isDraining) return "the proxy is draining";
      try {
        const stats = await admin.stats(wasReady ? LATER : FIRST);
        if (stats.get("server.state") !== LIVE)
          return `Envoy is not live: server.state is ${stats.get("server.state")}`;
        if (wasReady) return undefined;
        const missing = missingPart(stats);
        wasReady = missing === undefined;
        return missing;
      } catch (thrown) {
        return `Envoy does not answer: ${errorMessage(thrown)}`;
      }
    },
    drain() {
      isDraining = true;
    },
  };
}

function missingPart(stats: ReadonlyMap<string, number>): string | undefined {
  if (!stats.get("cluster_manager.cds.update_success")) return "no clusters from the control plane yet";
  if (!stats.get("listener_manager.lds.update_success")) return "no listeners from the control plane yet";
  if (stats.get("listener_manager.workers_started") !== 1) return "Envoy's workers have not started yet";
  return undefined;
}
