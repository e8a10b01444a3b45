import { expect, test } from "vitest";
import { createIpPool, createIpv6Pool } from "./ip-pool.ts";

test("leaves the first ten addresses and does not give one again at once", () => {
  const pool = createIpPool("10.244.0.0/16");
  expect(pool.allocate()).toBe("10.244.0.10");
  expect(pool.allocate()).toBe("10.244.0.11");
  pool.release("10.244.0.10");
  expect(pool.allocate()).toBe("10.244.0.12");
});

test("comes back to a free address when the range is through, and says when none is left", () => {
  const pool = createIpPool("10.9.8.0/28");
  const all = Array.from({ length: 5 }, () => pool.allocate());
  expect(all).toEqual(["10.9.8.10", "10.9.8.11", "10.9.8.12", "10.9.8.13", "10.9.8.14"]);
  expect(() => pool.allocate()).toThrow(/every pod address of 10.9.8.0\/28/);
  pool.release("10.9.8.12");
  expect(pool.allocate()).toBe("10.9.8.12");
});

test("IPv6 addresses are the prefix and a number; a range without :: is refused", () => {
  const pool = createIpv6Pool("fd44::/64");
  expect([pool.allocate(), pool.allocate()]).toEqual(["fd44::a", "fd44::b"]);
  expect(() => createIpv6Pool("10.244.0.0/16")).toThrow(/no IPv6 range/);
});
