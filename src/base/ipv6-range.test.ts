import { expect, test } from "vitest";
import { formatIpv6, formatIpv6Cidr, ipv6AddressAt, overlapsIpv6, parseIpv6, parseIpv6Cidr } from "./ipv6-range.ts";

test.each([
  ["::", "::"],
  ["::1", "::1"],
  ["FD00:0010:244::000A", "fd00:10:244::a"],
  ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
  ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
  ["::ffff:10.0.0.1", "::ffff:a00:1"],
  ["fe80::", "fe80::"],
])("%s is written %s", (text, canonical) => {
  expect(formatIpv6(parseIpv6(text) ?? -1n)).toBe(canonical);
});

test.each(["", "10.0.0.1", "fe80::1%eth0", "1::2::3", "fd00::/64"])("%s is no address", (text) => {
  expect(parseIpv6(text)).toBeUndefined();
});

test("ranges drop host bits, know their addresses and each other", () => {
  const range = parseIpv6Cidr("fd00:10:96::5/112") ?? expect.fail();
  expect(formatIpv6Cidr(range)).toBe("fd00:10:96::/112");
  expect([ipv6AddressAt(range, 1), ipv6AddressAt(range, 65_535)]).toEqual(["fd00:10:96::1", "fd00:10:96::ffff"]);
  expect(() => ipv6AddressAt(range, 65_536)).toThrow(/has no address number 65536/);
  const overlap = (text: string) => overlapsIpv6(range, parseIpv6Cidr(text) ?? expect.fail());
  expect([overlap("fd00:10::/32"), overlap("fd00:10:96:1::/112")]).toEqual([true, false]);
  for (const text of ["fd00::", "fd00::/129", "fd00::/64/1", "10.0.0.0/8"]) expect(parseIpv6Cidr(text)).toBeUndefined();
});
