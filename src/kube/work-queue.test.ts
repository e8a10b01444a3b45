import { describe, expect, it } from "vitest";
import { silentLogger } from "#base/logger";
import { until } from "#base/until";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { WorkQueue } from "./work-queue.ts";

function queueOf(reconcile: (key: string) => Promise<void>, workers = 8) {
  const clock = new ManualClock();
  const queue = new WorkQueue({ name: "test", clock, logger: silentLogger(), workers, reconcile });
  const stop = new AbortController();
  return { clock, queue, stop, running: queue.run(stop.signal) };
}

const seen = (runs: readonly string[], count: number) =>
  until(() => runs.length >= count, { reason: `${count} runs`, timeoutMs: 60_000, intervalMs: 1 });
const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("WorkQueue", () => {
  it("runs a key once for a burst, and once more for what came while it ran", async () => {
    const runs: string[] = [];
    let release = () => {};
    const { queue, stop, running } = queueOf(async (key) => {
      runs.push(key);
      if (runs.length === 1)
        await new Promise<void>((resolve) => {
          release = resolve;
        });
    });
    for (let index = 0; index < 5; index++) queue.add("a");
    await seen(runs, 1);
    queue.add("a");
    queue.add("a");
    queue.add("b");
    await seen(runs, 2);
    expect(runs).toEqual(["a", "b"]);
    release();
    await seen(runs, 3);
    await turn();
    expect(runs).toEqual(["a", "b", "a"]);
    stop.abort();
    await running;
  });

  it("waits longer after each failure, and starts afresh after a success", async () => {
    const runs: string[] = [];
    const { clock, queue, stop } = queueOf(async (key) => {
      runs.push(key);
      if (runs.length !== 3) throw new Error("no");
    });
    queue.add("a");
    await seen(runs, 1);
    await turn();
    clock.advance(4);
    await turn();
    expect(runs).toHaveLength(1);
    clock.advance(1);
    await seen(runs, 2);
    await turn();
    clock.advance(9);
    await turn();
    expect(runs).toHaveLength(2);
    clock.advance(1);
    await seen(runs, 3);
    await turn();
    queue.add("a");
    await seen(runs, 4);
    await turn();
    clock.advance(5);
    await seen(runs, 5);
    stop.abort();
  });

  it("keeps the earliest of several later calls, and forgets all when it stops", async () => {
    const runs: string[] = [];
    const { clock, queue, stop } = queueOf(async (key) => void runs.push(key));
    queue.addAfter("a", 1000);
    queue.addAfter("a", 100);
    queue.addAfter("a", 5000);
    clock.advance(100);
    await seen(runs, 1);
    clock.advance(10_000);
    await turn();
    expect(runs).toHaveLength(1);
    queue.addAfter("a", 1);
    stop.abort();
    clock.advance(10);
    await turn();
    expect(runs).toHaveLength(1);
  });
});
