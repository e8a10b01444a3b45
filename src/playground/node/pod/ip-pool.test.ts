import { expect, test } from "vitest";
import { createIpPool } from "./ip-pool.ts";

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
