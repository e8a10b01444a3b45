// Who asks for a state that is still to come is kept waiting for a moment: it may be on its way.
import { ApiStatusError } from "../contract.ts";
import type { ObjectStore } from "../store/object-store.ts";

/** Kubernetes' own patience. */
const LONGEST_MS = 3000;

/** Resolves when the store is there, after three seconds, or when the server stops. */
export function awaitRevision(store: ObjectStore, wanted: number, signal: AbortSignal): Promise<void> {
  if (store.revision() >= wanted || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(patience);
      unsubscribe();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const patience = setTimeout(done, LONGEST_MS);
    const unsubscribe = store.subscribe(({ revision }) => {
      if (revision >= wanted) done();
    });
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Refused because of a version that may come, and that the client is told to ask for again. */
export const isStillToCome = (thrown: unknown): boolean =>
  thrown instanceof ApiStatusError && thrown.code === 504 && thrown.details?.["retryAfterSeconds"] === 1;
