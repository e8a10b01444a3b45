import { expect, test } from "vitest";
import { cidrWarnings, ipWarnings } from "./address-warnings.ts";

const FUTURE = "will be considered invalid in a future Kubernetes release: use";
const UNCLEAR = "is ambiguous in this context";

test.each([
  ["10.0.0.1", []],
  ["010.000.0.1", [`x: non-standard IP address "010.000.0.1" ${FUTURE} "10.0.0.1"`]],
  ["::ffff:1.2.3.4", [`x: non-standard IP address "::ffff:1.2.3.4" ${FUTURE} "1.2.3.4"`]],
  ["2001:DB8:0::1", ['x: IPv6 address "2001:DB8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")']],
  ["fe80::1", []],
  ["no address", []],
])("address %s", (address, warnings) => {
  expect(ipWarnings("x", address)).toEqual(warnings);
});

test.each([
  ["10.0.0.0/8", []],
  ["10.0.0.0/08", [`x: non-standard CIDR value "10.0.0.0/08" ${FUTURE} "10.0.0.0/8"`]],
  ["10.0.0.1/24", [`x: CIDR value "10.0.0.1/24" ${UNCLEAR} (should be "10.0.0.0/24" or "10.0.0.1/32"?)`]],
  ["::ffff:1.2.3.0/120", [`x: non-standard CIDR value "::ffff:1.2.3.0/120" ${FUTURE} "1.2.3.0/24"`]],
  ["2001:DB8::/32", ['x: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")']],
  ["10.0.0.0", []],
])("range %s", (range, warnings) => {
  expect(cidrWarnings("x", range)).toEqual(warnings);
});
