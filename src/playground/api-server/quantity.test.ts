import { describe, expect, it } from "vitest";
import { canonicalQuantity, parseQuantity } from "./quantity.ts";

describe("canonicalQuantity", () => {
  it.each([
    ["1000m", "1"],
    ["0.5", "500m"],
    ["1024Ki", "1Mi"],
    ["1024Mi", "1Gi"],
    ["1500m", "1500m"],
    ["1e3", "1e3"],
    ["0", "0"],
    ["1.5Gi", "1536Mi"],
    ["100000k", "100M"],
    ["-1", "-1"],
  ])("%s -> %s", (text, expected) => {
    expect(canonicalQuantity(text)).toBe(expected);
  });
});

describe("parseQuantity", () => {
  it.each(["x", "", "1 Gi", "1Gi1", "Mi"])("does not read %j", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });
});
