import { describe, expect, test } from "vitest";
import { parseDuration } from "./install.ts";

describe("parseDuration", () => {
  test.each([
    ["300s", 300_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1.5s", 1500],
    ["250ms", 250],
    ["1h30m", 5_400_000],
    ["1m0.5s", 60_500],
  ])("%s", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  test.each(["", "5", "s", "-5s", "5 s", "5d", "1h nonsense", "5mm"])("%j is none", (text) => {
    expect(() => parseDuration(text)).toThrow("is not a duration");
  });
});
