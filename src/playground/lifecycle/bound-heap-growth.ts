import { getHeapStatistics, setFlagsFromString } from "node:v8";

const LARGE_BYTES = 64 * 1024 * 1024;
const LOOK_MS = 3000;

/**
 * Has a heap that has become large collected before it has grown by a third, where Node would let it double: memory then
 * follows what is in use. A small one is left alone, for collecting it often would only make the start slower.
 */
export function boundHeapGrowth(signal: AbortSignal): void {
  const look = setInterval(() => {
    if (getHeapStatistics().used_heap_size < LARGE_BYTES) return;
    setFlagsFromString("--heap-growing-percent=30");
    clearInterval(look);
  }, LOOK_MS).unref();
  signal.addEventListener("abort", () => clearInterval(look), { once: true });
}
