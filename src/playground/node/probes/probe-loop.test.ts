import { expect, test } from "vitest";
import { verdictCounter } from "./probe-loop.ts";

test("quick attempts before the first success do not use up failureThreshold", () => {
  const judge = verdictCounter({ failureThreshold: 2, periodSeconds: 1 }, 1000, 0);
  expect([10, 110, 400].map((now) => judge(false, now))).toEqual([
    { counted: false },
    { counted: false },
    { counted: false },
  ]);
  expect(judge(false, 1000)).toEqual({ counted: true });
  expect(judge(false, 1500)).toEqual({ counted: false });
  expect(judge(false, 2000)).toEqual({ counted: true, verdict: false });
});

test("one success is enough by default, and a success ends a row of failures", () => {
  const judge = verdictCounter({ failureThreshold: 2 }, 1000, 0);
  expect(judge(true, 10)).toEqual({ counted: true, verdict: true });
  expect(judge(false, 2000).verdict).toBeUndefined();
  expect(judge(true, 3000).verdict).toBe(true);
  expect(judge(false, 4000).verdict).toBeUndefined();
  expect(judge(false, 5000).verdict).toBe(false);
  const strict = verdictCounter({ successThreshold: 2 }, 1000, 0);
  expect([strict(true, 0).verdict, strict(true, 1).verdict]).toEqual([undefined, true]);
});
