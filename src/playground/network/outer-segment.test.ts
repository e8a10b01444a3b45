import { describe, expect, it } from "vitest";
import { formatCidr } from "#base/ipv4-range";
import { parseTopology } from "./load-topology.ts";
import { checkOuterCidr, outerCandidates, readHostRanges } from "./outer-segment.ts";

const topology = (outer?: string) =>
  parseTopology(`${outer === undefined ? "" : `outerCIDR: ${outer}\n`}clusters: [{name: a, network: n}]`, "t.yaml");
const ADDRESSES = JSON.stringify([
  { ifname: "lo", addr_info: [{ local: "127.0.0.1", prefixlen: 8 }] },
  { ifname: "eth0", addr_info: [{ local: "172.30.0.7", prefixlen: 24 }] },
]);
const ROUTES = JSON.stringify([
  { dst: "default", gateway: "172.30.0.1", dev: "eth0" },
  { dst: "172.30.1.0/24", dev: "vpn0" },
  { type: "local", dst: "127.0.0.1", dev: "lo" },
]);
const host = readHostRanges(ADDRESSES, ROUTES);
const first = (found = outerCandidates(topology(), host).next().value) => (found ? formatCidr(found) : undefined);

describe("outer segment", () => {
  it("takes the first /24 that no interface and no route of the host uses", () => {
    expect(first()).toBe("172.30.2.0/24");
  });

  it("goes on to the next pool when a route covers the first", () => {
    const vpn = readHostRanges("[]", JSON.stringify([{ dst: "172.16.0.0/12", dev: "vpn0" }]));
    expect(first(outerCandidates(topology(), vpn).next().value)).toBe("198.18.0.0/24");
  });

  it("takes the topology's own range, and refuses it when the host uses it", () => {
    expect(() => checkOuterCidr(topology("10.7.0.0/24"), host)).not.toThrow();
    expect(() => checkOuterCidr(topology("172.30.1.0/24"), host)).toThrow(
      /overlaps 172\.30\.1\.0\/24.*a route on vpn0/,
    );
    expect(() => checkOuterCidr(topology("172.30.0.0/16"), host)).toThrow(/interface eth0/);
  });

  it("reads nothing from a host without routes", () => {
    expect(readHostRanges("", "")).toEqual([]);
  });
});
