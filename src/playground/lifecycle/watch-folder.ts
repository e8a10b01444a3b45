import { watch } from "node:fs";

type Watch = (folder: string, onChange: () => void) => { close(): void };

/** How often a folder is looked at that cannot be watched. */
const LOOK_MS = 100;

/**
 * Calls `onChange` when something in the folder may have changed, perhaps without need, until `close`. The kernel gives a
 * user 128 watches, and each program of a Kubernetes release takes half a dozen: when there is none left, time does.
 */
export function watchFolder(folder: string, onChange: () => void, watchWith: Watch = watch): { close(): void } {
  try {
    return watchWith(folder, onChange);
  } catch (thrown) {
    if (!isExhausted(thrown)) throw thrown;
    const timer = setInterval(onChange, LOOK_MS);
    return { close: () => clearInterval(timer) };
  }
}

function isExhausted(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && ["EMFILE", "ENFILE", "ENOSPC"].includes(String(thrown.code));
}
