import { describe, expect, test } from "vitest";
import { mayGo, type ServiceCIDR } from "./service-cidr-controller.ts";

const range = (name: string, ...cidrs: string[]): ServiceCIDR => ({ metadata: { name }, spec: { cidrs } });
const own = range("own", "10.1.0.0/24");

describe("a ServiceCIDR that is deleted", () => {
  test.each<[string, boolean, ServiceCIDR[], string[]]>([
    ["goes when no address lies in it", true, [], ["10.2.0.1"]],
    ["stays while an address lies in it alone", false, [], ["10.2.0.1", "10.1.0.9"]],
    ["goes when another holds the address", true, [range("other", "10.1.0.8/29")], ["10.1.0.9"]],
    ["stays when the other would not give that address", false, [range("other", "10.1.0.8/29")], ["10.1.0.8"]],
    ["goes when another holds all of it", true, [range("outer", "10.1.0.0/16")], ["10.1.0.9"]],
    ["goes when another is the same", true, [range("same", "10.1.0.0/24")], ["10.1.0.9"]],
    ["is held by ranges of its family only", false, [range("six", "fd00::/64")], ["10.1.0.9"]],
  ])("%s", (_, wanted, others, addresses) => {
    expect(mayGo(own, [own, ...others], addresses)).toBe(wanted);
  });

  test("stays while an address of its second family lies in it", () => {
    const dual = range("dual", "10.1.0.0/24", "fd00:1::/112");
    const outer = range("outer", "10.0.0.0/8");
    expect(mayGo(dual, [dual, outer], ["fd00:1::5"])).toBe(false);
    expect(mayGo(dual, [dual, outer], ["10.1.0.5"])).toBe(true);
  });
});
