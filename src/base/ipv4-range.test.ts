import fc from "fast-check";
import { expect, test } from "vitest";
import { addressAt, formatAddress, formatCidr, parseAddress, parseCidr, subnets } from "./ipv4-range.ts";

test("an address is the same number there and back", () => {
  fc.assert(fc.property(fc.nat(2 ** 32 - 1), (value) => parseAddress(formatAddress(value)) === value));
});

test.each(["", "10.0.0", "10.0.0.256", "10.0.0.01", "10.0.0.1.2", "10.0.0.-1", " 10.0.0.1", "a.b.c.d"])(
  "%j is no address",
  (text) => {
    expect(parseAddress(text)).toBeUndefined();
  },
);

test.each(["10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8/8", "10.0.0/8", "/8"])("%j is no range", (text) => {
  expect(parseCidr(text)).toBeUndefined();
});

test("a range forgets host bits, counts from its own address, and ends at its end", () => {
  const range = parseCidr("10.96.7.9/30") ?? { first: 0, last: 0, prefix: 32 };
  expect(formatCidr(range)).toBe("10.96.7.8/30");
  expect(addressAt(range, 3)).toBe("10.96.7.11");
  expect(() => addressAt(range, 4)).toThrow(RangeError);
  expect([...subnets(range, 31)].map(formatCidr)).toEqual(["10.96.7.8/31", "10.96.7.10/31"]);
});
