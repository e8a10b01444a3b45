import { expect, test } from "vitest";
import { type Component, runAll, untilAborted } from "./component.ts";
import { silentLogger } from "./logger.ts";

const lasting = (name: string, ended: string[]): Component => ({
  name,
  async run(signal) {
    await untilAborted(signal);
    ended.push(name);
  },
});

test("the first that fails stops the others, and its error is thrown once they have ended", async () => {
  const ended: string[] = [];
  const failing: Component = { name: "failing", run: () => Promise.reject(new Error("broken")) };
  const running = runAll(
    [lasting("a", ended), failing, lasting("b", ended)],
    new AbortController().signal,
    silentLogger(),
  );
  await expect(running).rejects.toThrow("broken");
  expect(ended).toEqual(["a", "b"]);
});

test("an abort from outside ends all without an error, even if one fails on its way out", async () => {
  const stop = new AbortController();
  const ended: string[] = [];
  const clumsy: Component = {
    name: "clumsy",
    async run(signal) {
      await untilAborted(signal);
      throw new Error("while ending");
    },
  };
  const running = runAll([lasting("a", ended), clumsy], stop.signal, silentLogger());
  stop.abort();
  await running;
  expect(ended).toEqual(["a"]);
});

test("one that is done does not end the others", async () => {
  const stop = new AbortController();
  const ended: string[] = [];
  const running = runAll([{ name: "short", run: async () => {} }, lasting("a", ended)], stop.signal, silentLogger());
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended).toEqual([]);
  stop.abort();
  await running;
});

test("nothing starts under a signal that has aborted", async () => {
  let started = false;
  const component: Component = {
    name: "never",
    async run() {
      started = true;
    },
  };
  await runAll([component], AbortSignal.abort(), silentLogger());
  expect(started).toBe(false);
});
