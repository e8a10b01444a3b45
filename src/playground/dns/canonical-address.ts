import { isIPv6 } from "node:net";

/** The one way to write an address: IPv6 as eight groups of four digits, so that equal ones are equal text. */
export function canonicalAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].map((group) => group.padStart(4, "0")).join(":");
}
