import { expect, test } from "vitest";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { systemClock } from "./clock.ts";
import { until } from "./until.ts";

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("gives the first value that is something", async () => {
  const values = [undefined, false, 0] as const;
  let looks = 0;
  expect(await until(() => values[looks++], { reason: "it counts", timeoutMs: 1000, intervalMs: 0 })).toBe(0);
  expect(looks).toBe(3);
});

test("names what it waited for in vain", async () => {
  const clock = new ManualClock();
  const waiting = until(() => false, { reason: "the sea is dry", timeoutMs: 3000, intervalMs: 1000, clock });
  const outcome = expect(waiting).rejects.toThrow("waited 3 s in vain until the sea is dry");
  for (let step = 0; step < 4; step += 1) {
    await settle();
    clock.advance(1000);
  }
  await outcome;
});

test("ends with the signal's reason, or with the condition's own error", async () => {
  const stop = new AbortController();
  const waiting = until(() => false, { reason: "never", timeoutMs: 60_000, signal: stop.signal });
  const reason = new Error("enough");
  stop.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  const failing = () => Promise.reject(new Error("looked wrong"));
  await expect(until(failing, { reason: "never", timeoutMs: 60_000 })).rejects.toThrow("looked wrong");
});

test("the system's clock leaves no listener on a signal when the sleep is over", async () => {
  const stop = new AbortController();
  let listeners = 0;
  const { signal } = stop;
  const counted = new Proxy(signal, {
    get(target, key) {
      if (key === "addEventListener") listeners += 1;
      if (key === "removeEventListener") listeners -= 1;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  await systemClock.sleep(1, counted);
  expect(listeners).toBe(0);
});

test("a cancelled appointment of the system's clock never happens, cancelled twice or late", async () => {
  const kept: string[] = [];
  const cancel = systemClock.schedule(1, () => kept.push("cancelled"));
  cancel();
  cancel();
  const late = systemClock.schedule(1, () => kept.push("kept"));
  await systemClock.sleep(10);
  late();
  expect(kept).toEqual(["kept"]);
});
