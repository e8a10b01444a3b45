import { setMaxListeners } from "node:events";

/** A signal that aborts with its parent and may have as many listeners as a cluster has watches. */
export function childSignal(parent: AbortSignal): AbortSignal {
  const signal = AbortSignal.any([parent]);
  setMaxListeners(0, signal);
  return signal;
}
