import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { watchFolder } from "./watch-folder.ts";

/** Resolves when the file is there or the signal aborts. Its folder must exist. */
export async function waitForFile(file: string, signal: AbortSignal): Promise<void> {
  let wake = () => {};
  const onChange = () => wake();
  const watcher = watchFolder(dirname(file), onChange);
  signal.addEventListener("abort", onChange);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (existsSync(file) || signal.aborted) return;
      await changed;
    }
  } finally {
    watcher.close();
    signal.removeEventListener("abort", onChange);
  }
}
