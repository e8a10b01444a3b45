import { setMaxListeners } from "node:events";
import type { Logger } from "./logger.ts";
import { errorMessage } from "./mesh-error.ts";

/** Something long-lived. `run` settles when the signal aborts or when the component can go on no longer. */
export interface Component {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Runs components together, started in list order. The first that fails stops all the others, and its error is
 * thrown; an abort from outside stops all and returns.
 */
export async function runAll(components: readonly Component[], signal: AbortSignal, logger: Logger): Promise<void> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // many watches listening to one signal is no leak
  const onAbort = () => stop.abort(signal.reason);
  if (signal.aborted) return;
  signal.addEventListener("abort", onAbort, { once: true });
  let failure: unknown;
  const run = async (component: Component) => {
    try {
      await component.run(stop.signal);
    } catch (thrown) {
      if (stop.signal.aborted) return;
      failure ??= thrown;
      logger.error({ component: component.name, error: errorMessage(thrown) }, "component failed");
      stop.abort(thrown);
    }
  };
  await Promise.all(components.map(run));
  signal.removeEventListener("abort", onAbort);
  if (failure !== undefined) throw failure;
}

/** Resolves when the signal aborts: the body of a component that only holds a resource. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
