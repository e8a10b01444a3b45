import { expect, test } from "vitest";
import type { JsonObject } from "../contract.ts";
import { createServiceRanges } from "./service-ranges.ts";

const object = (name: string, cidrs: string[], more: JsonObject = {}): JsonObject => ({
  metadata: { name, ...more },
  spec: { cidrs },
});
const condition = (status: string): JsonObject => ({ conditions: [{ type: "Ready", status }] });
const DEFAULT = object("kubernetes", ["10.96.0.0/29"]);

const takeAll = (ranges: ReturnType<typeof createServiceRanges>) => {
  const found: string[] = [];
  for (let ip = ranges.takeAny("IPv4", "a/b"); ip !== undefined; ip = ranges.takeAny("IPv4", "a/b")) found.push(ip);
  return found.sort();
};

test("an added range gives addresses when that of the configuration is full", () => {
  const ranges = createServiceRanges(["10.96.0.0/29"]);
  expect(takeAll(ranges)).toHaveLength(6);
  ranges.follow([object("more", ["10.97.0.0/30"]), DEFAULT]);
  expect(takeAll(ranges)).toEqual(["10.97.0.1", "10.97.0.2"]);
  ranges.release("10.97.0.1", "a/b");
  expect(ranges.take("10.97.0.1", "c/d")).toBe("taken");
  expect(ranges.take("10.97.0.1", "e/f")).toBe("in use");
  expect(ranges.take("10.97.0.3", "e/f")).toBe("out of range");
});

test("ranges that overlap give no address twice", () => {
  const ranges = createServiceRanges(["10.96.0.0/29"]);
  ranges.follow([DEFAULT, object("inner", ["10.96.0.0/30"]), object("outer", ["10.96.0.0/28"])]);
  const all = takeAll(ranges);
  expect(new Set(all).size).toBe(all.length);
  expect(all).toHaveLength(14);
});

test("a range that is not ready, or ends, gives nothing and takes back what it gave", () => {
  const ranges = createServiceRanges(["10.96.0.0/29"]);
  const added = (status: JsonObject, more: JsonObject = {}) => ({ ...object("more", ["10.97.0.0/30"], more), status });
  ranges.follow([DEFAULT, added(condition("True"))]);
  expect(ranges.take("10.97.0.1", "a/b")).toBe("taken");
  ranges.follow([DEFAULT, added(condition("True"), { deletionTimestamp: "2026-01-01T00:00:00Z" })]);
  expect(ranges.take("10.97.0.2", "a/b")).toBe("out of range");
  ranges.release("10.97.0.1", "a/b");
  ranges.follow([DEFAULT, added(condition("False"))]);
  expect(ranges.take("10.97.0.1", "c/d")).toBe("out of range");
  ranges.follow([DEFAULT, added(condition("True"))]);
  expect(ranges.take("10.97.0.1", "c/d")).toBe("taken");
});
