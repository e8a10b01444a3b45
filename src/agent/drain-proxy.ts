import type { Clock } from "#base/clock";
import type { Logger } from "#base/logger";
import { errorMessage } from "#base/mesh-error";
import type { EnvoyAdmin } from "./envoy-admin.ts";

export interface DrainOptions {
  readonly terminationDrainMs: number;
  /** Wait for the last connection instead of a fixed time; the pod's grace period is the limit. */
  readonly exitOnZeroActiveConnections: boolean;
  readonly minimumDrainMs: number;
}

export interface DrainContext {
  readonly admin: EnvoyAdmin;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborts to stop waiting. */
  readonly signal: AbortSignal;
}

const POLL_MS = 250;
const ACTIVE = "^listener\\..*downstream_cx_active$";
/** The agent's own doors: a probe or a scrape is no reason to stay. */
const OWN_LISTENERS = /^listener\.(admin|0\.0\.0\.0_15090|0\.0\.0\.0_15021)\./;

/** Tells the listeners to drain and waits until the proxy may go. Never throws: the pod ends in any case. */
export async function drainProxy(options: DrainOptions, context: DrainContext): Promise<void> {
  const { admin, clock, logger, signal } = context;
  const sleep = (ms: number) => clock.sleep(ms, signal).catch(() => undefined);
  try {
    await admin.drainListeners();
    if (!options.exitOnZeroActiveConnections) return await sleep(options.terminationDrainMs);
    await sleep(options.minimumDrainMs);
    while (!signal.aborted) {
      const active = await activeConnections(admin);
      if (active === 0) return;
      logger.info({ active }, "draining: connections are still open");
      await sleep(POLL_MS);
    }
  } catch (thrown) {
    logger.warn({ error: errorMessage(thrown) }, "cannot drain Envoy; ending without");
  }
}

async function activeConnections(admin: EnvoyAdmin): Promise<number> {
  let active = 0;
  for (const [name, value] of await admin.stats(ACTIVE)) if (!OWN_LISTENERS.test(name)) active += value;
  return active;
}
