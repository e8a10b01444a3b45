import { expect, test } from "vitest";
import { ManualClock } from "../../tests/kit/manual-clock.ts";
import { debounceMerge } from "./debounce-merge.ts";

function debouncer() {
  const clock = new ManualClock();
  const batches: string[] = [];
  const merge = (pending: string, next: string) => `${pending}+${next}`;
  const emit = (batch: string) => batches.push(batch);
  return { clock, batches, debounced: debounceMerge<string>({ clock, quietMs: 100, maxMs: 250, merge, emit }) };
}

test("a burst leaves as one batch after the quiet time", () => {
  const { clock, batches, debounced } = debouncer();
  debounced.add("a");
  clock.advance(99);
  debounced.add("b");
  clock.advance(99);
  expect(batches).toEqual([]);
  clock.advance(1);
  expect(batches).toEqual(["a+b"]);
  clock.advance(1000);
  expect(batches).toEqual(["a+b"]);
});

test("what never grows quiet leaves when the first has waited long enough", () => {
  const { clock, batches, debounced } = debouncer();
  for (const item of ["a", "b", "c", "d", "e"]) {
    debounced.add(item);
    clock.advance(60);
  }
  expect(batches).toEqual(["a+b+c+d+e"]);
});

test("flush sends at once and only what is there; close sends nothing", () => {
  const { clock, batches, debounced } = debouncer();
  debounced.flush();
  debounced.add("a");
  debounced.flush();
  debounced.add("b");
  debounced.close();
  clock.advance(1000);
  expect(batches).toEqual(["a"]);
});

test("an item that comes while a batch is sent waits for the next", () => {
  const clock = new ManualClock();
  const batches: string[] = [];
  const debounced = debounceMerge<string>({
    clock,
    quietMs: 10,
    maxMs: 10,
    merge: (pending, next) => pending + next,
    emit(batch) {
      batches.push(batch);
      if (batches.length === 1) debounced.add("b");
    },
  });
  debounced.add("a");
  clock.advance(10);
  expect(batches).toEqual(["a"]);
  clock.advance(10);
  expect(batches).toEqual(["a", "b"]);
});
