// IP addresses and address ranges inside objects.
import { isIPv4, isIPv6 } from "node:net";
import type { FieldError } from "../api-errors.ts";
import { invalid } from "./field-errors.ts";

/** Numbers with leading zeroes pass, as they always did. */
function withoutZeroes(text: string): string {
  return text.includes(":") ? text : text.replace(/(^|\.)0+(?=\d)/g, "$1");
}

export const isIpv4 = (text: string) => isIPv4(withoutZeroes(text));
export const isIpv6 = (text: string) => isIPv6(text) && !text.includes("%");
export const isIp = (text: string) => isIpv4(text) || isIpv6(text);

export function checkIp(field: string, value: string, known: readonly string[] = []): FieldError[] {
  if (known.includes(value) || isIp(value)) return [];
  return [invalid(field, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")];
}

const familyBits = (address: string) => (isIpv4(address) ? 32 : isIpv6(address) ? 128 : -1);

export function isCidr(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  return rest.length === 0 && /^\d+$/.test(length) && Number(length) <= familyBits(address);
}

export function checkCidr(field: string, value: string, known: readonly string[] = []): FieldError[] {
  if (known.includes(value) || isCidr(value)) return [];
  return [invalid(field, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")];
}

export const LEADING_ZERO = /(?:^(?=[\d.]+(?:\/|$))|[./])0\d/;

/** What is wrong with an address that must be written in the one right way; empty when nothing is. */
export function addressFaults(text: string): string[] {
  if (!isIp(text)) return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
  if (LEADING_ZERO.test(text)) return ["must not have leading 0s"];
  if (isMapped(text)) return ["must not be an IPv4-mapped IPv6 address"];
  const canonical = canonicalAddress(text);
  return text === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
}

export const isMapped = (address: string) => isIpv6(address) && addressBits(address).value >> 32n === 0xffffn;

/** Lower case, and the longest run of zeroes as "::". */
export function canonicalAddress(text: string): string {
  return isIpv4(text) ? text : ipv6Text(addressBits(text).value);
}

export function ipv6Text(value: bigint): string {
  const words = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn));
  const host = words.map((word) => word.toString(16)).join(":");
  return new URL(`http://[${host}]`).hostname.slice(1, -1);
}

/** A CIDR that names a network, and no address in it, in the one right way to write it. */
export function checkNetwork(field: string, value: string): FieldError[] {
  const errors = checkCidr(field, value);
  if (errors.length > 0) return errors;
  const [address = "", prefix = ""] = value.split("/");
  if (LEADING_ZERO.test(value)) return [invalid(field, value, "must not have leading 0s in IP or prefix length")];
  if (isMapped(address)) return [invalid(field, value, "must not have an IPv4-mapped IPv6 address")];
  const { value: number, bits } = addressBits(address);
  const inside = number & ((1n << BigInt(bits - Number(prefix))) - 1n);
  if (inside !== 0n) return [invalid(field, value, "must not have bits set beyond the prefix length")];
  const canonical = `${canonicalAddress(address)}/${prefix}`;
  if (value === canonical) return [];
  return [invalid(field, value, `must be in canonical form (${JSON.stringify(canonical)})`)];
}

/** The address as a number, with its family's width. */
export function addressBits(text: string): { readonly value: bigint; readonly bits: number } {
  if (isIpv4(text)) {
    const value = text.split(".").reduce((sum, part) => sum * 256n + BigInt(Number(part)), 0n);
    return { value, bits: 32 };
  }
  const [head = "", tail] = text.split("::");
  const words = (part: string) =>
    part.split(":").flatMap((word) => (word === "" ? [] : word.includes(".") ? dotted(word) : [word]));
  const [front, back] = [words(head), words(tail ?? "")];
  const middle = tail === undefined ? [] : Array<string>(Math.max(0, 8 - front.length - back.length)).fill("0");
  const all = [...front, ...middle, ...back];
  return { value: all.reduce((sum, word) => sum * 65536n + BigInt(Number.parseInt(word, 16)), 0n), bits: 128 };
}

function dotted(text: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = text.split(".").map(Number);
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
}

/** True when the range lies inside the other and is smaller. */
export function isStrictSubset(inner: string, outer: string): boolean {
  const [a, b] = [inner.split("/"), outer.split("/")];
  const [x, y] = [addressBits(a[0] ?? ""), addressBits(b[0] ?? "")];
  const [longer, shorter] = [Number(a[1]), Number(b[1])];
  const shift = BigInt(y.bits - shorter);
  return x.bits === y.bits && shorter < longer && x.value >> shift === y.value >> shift;
}

interface Range {
  readonly cidrs: readonly string[];
  readonly detail: (address: string) => string;
}

const NO_ENDPOINTS: readonly Range[] = [
  { cidrs: ["0.0.0.0/32", "::/128"], detail: (address) => `may not be unspecified (${address})` },
  { cidrs: ["127.0.0.0/8", "::1/128"], detail: () => "may not be in the loopback range (127.0.0.0/8, ::1/128)" },
  {
    cidrs: ["169.254.0.0/16", "fe80::/10"],
    detail: () => "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
  },
  {
    cidrs: ["224.0.0.0/24", "ff02::/16"],
    detail: () => "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)",
  },
];

const contains = (cidr: string, address: string) => {
  const [network = "", length = ""] = cidr.split("/");
  const [range, one] = [addressBits(network), addressBits(address)];
  const shift = BigInt(range.bits - Number(length));
  return range.bits === one.bits && range.value >> shift === one.value >> shift;
};

/** What a Service may send traffic to. */
export function checkEndpointIp(field: string, address: string): FieldError[] {
  if (!isIp(address)) return [invalid(field, address, "must be a valid IP address")];
  return NO_ENDPOINTS.flatMap(({ cidrs, detail }) =>
    cidrs.some((cidr) => contains(cidr, address)) ? [invalid(field, address, detail(address))] : [],
  );
}
