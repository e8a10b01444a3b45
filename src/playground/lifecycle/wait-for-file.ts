import { once } from "node:events";
import { existsSync, watch } from "node:fs";
import { dirname } from "node:path";

/** Resolves when the file is there or the signal aborts. Its folder must exist. */
export async function waitForFile(file: string, signal: AbortSignal): Promise<void> {
  const watcher = watch(dirname(file));
  const done = once(signal, "abort");
  try {
    while (!existsSync(file) && !signal.aborted) await Promise.race([once(watcher, "change"), done]);
  } finally {
    watcher.close();
  }
}
