import { expect, test } from "vitest";
import { stopSignalNumber } from "./stop-signal.ts";

test.each([
  [undefined, 15],
  ["", 15],
  ["SIGQUIT", 3],
  ["quit", 3],
  ["10", 10],
  ["SIGRTMIN+3", 37],
  ["SIGRTMIN", 34],
  ["RTMAX-1", 63],
  ["SIGNOTHING", 15],
  ["900", 15],
])("%s is %i", (written, number) => {
  expect(stopSignalNumber(written)).toBe(number);
});
