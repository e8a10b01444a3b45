// Kubernetes' functions on URLs, addresses and networks.
import { BlockList, isIP, isIPv4 } from "node:net";
import {
  type CelFunc,
  type CelInput,
  type CelMap,
  CelScalar,
  celFunc,
  celMethod,
  listType,
  mapType,
} from "@bufbuild/cel";
import { opaque, opened, textOf } from "./opaque.ts";

const { DYN, STRING, INT, BOOL } = CelScalar;
const MAP = mapType(DYN, DYN);

function parseUrl(text: string): URL | undefined {
  if (text.startsWith("/")) return URL.canParse(text, "x-none://") ? new URL(text, "x-none://") : undefined;
  return /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

function toUrl(text: string): CelMap {
  if (parseUrl(text) === undefined)
    throw new Error(
      `URL parse error during conversion from string: parse ${JSON.stringify(text)}: invalid URI for request`,
    );
  return opaque("url", { text });
}

const part = (name: string, read: (url: URL, text: string) => string): CelFunc =>
  celMethod(name, MAP, [], STRING, function () {
    const text = textOf(opened(this, "url"), "text");
    return read(parseUrl(text) ?? new URL("x-none://"), text);
  });

/** The authority as it was written: the parser of URLs drops default ports. */
const hostOf = (text: string) => /^[a-zA-Z][\w+.-]*:\/\/(?:[^/?#@]*@)?([^/?#]*)/.exec(text)?.[1] ?? "";
const portOf = (text: string) => /:(\d+)$/.exec(hostOf(text))?.[1] ?? "";

const urlFunctions: readonly CelFunc[] = [
  celFunc("url", [STRING], MAP, toUrl),
  celFunc("isURL", [STRING], BOOL, (text) => parseUrl(text) !== undefined),
  part("getScheme", (url) => (url.protocol === "x-none:" ? "" : url.protocol.slice(0, -1))),
  part("getHost", (_, text) => hostOf(text)),
  part("getHostname", (_, text) =>
    hostOf(text)
      .replace(/:\d+$/, "")
      .replace(/^\[|\]$/g, ""),
  ),
  part("getPort", (_, text) => portOf(text)),
  part("getEscapedPath", (url, text) =>
    url.pathname === "/" && !/[^/:]\/|^\//.test(text.replace(/:\/\//, "")) ? "" : url.pathname,
  ),
  celMethod("getQuery", MAP, [], mapType(STRING, listType(STRING)), function () {
    const url = parseUrl(textOf(opened(this, "url"), "text"));
    const query = new Map<string, CelInput>();
    for (const key of url?.searchParams.keys() ?? []) query.set(key, url?.searchParams.getAll(key) ?? []);
    return query;
  }),
];

/** No leading zeros, no zones, no IPv4 inside IPv6. */
const isAddress = (text: string) => isIP(text) !== 0 && !text.includes("%") && !/^::ffff:.*\./i.test(text);

function canonical(text: string): string {
  return isIPv4(text) ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function toIp(text: string): CelMap {
  if (!isAddress(text))
    throw new Error(
      `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
    );
  return opaque("ip", { text: canonical(text) });
}

function inNetwork(address: string, network: string, bits: number): boolean {
  const list = new BlockList();
  const family = isIPv4(network) ? "ipv4" : "ipv6";
  if (isIPv4(address) !== isIPv4(network)) return false;
  list.addSubnet(network, bits, family);
  return list.check(address, family);
}

const within =
  (...networks: readonly string[]) =>
  (address: string) =>
    networks.some((network) => {
      const [base = "", bits] = network.split("/");
      return inNetwork(address, base, Number(bits));
    });

const isLoopback = within("127.0.0.0/8", "::1/128");
const isLinkLocal = within("169.254.0.0/16", "fe80::/10");
const isLocalMulticast = within("224.0.0.0/24", "ff02::/16");
const isUnspecified = within("0.0.0.0/32", "::/128");
const isMulticast = within("224.0.0.0/4", "ff00::/8");

const about = (name: string, test: (address: string) => boolean): CelFunc =>
  celMethod(name, MAP, [], BOOL, function () {
    return test(textOf(opened(this, "ip"), "text"));
  });

function splitCidr(text: string): { address: string; bits: number } | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const [address, bits] = [match?.[1] ?? "", Number(match?.[2])];
  if (!isAddress(address) || bits > (isIPv4(address) ? 32 : 128)) return undefined;
  return { address: canonical(address), bits };
}

function toCidr(text: string): CelMap {
  const found = splitCidr(text);
  if (found === undefined)
    throw new Error(
      `network address parse error during conversion from string: network address parse error: netip.ParsePrefix(${JSON.stringify(text)}): no '/'`,
    );
  return opaque("cidr", { address: found.address, bits: BigInt(found.bits) });
}

const bitsOf = (cidr: CelMap) => Number(cidr.get("bits"));

function masked(cidr: CelMap): CelMap {
  const [address, bits] = [textOf(cidr, "address"), bitsOf(cidr)];
  if (!isIPv4(address)) return cidr;
  const number = address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const size = 2 ** (32 - bits);
  const base = Math.floor(number / size) * size;
  const text = [24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join(".");
  return opaque("cidr", { address: text, bits: BigInt(bits) });
}

function addressOf(value: unknown): string {
  if (typeof value !== "string") return textOf(opened(value, "ip"), "text");
  // Kubernetes says no more of a text that is no address.
  if (!isAddress(value)) throw new Error("no such overload");
  return canonical(value);
}

const ipFunctions: readonly CelFunc[] = [
  celFunc("ip", [STRING], MAP, toIp),
  celFunc("isIP", [STRING], BOOL, isAddress),
  celFunc("ip.isCanonical", [STRING], BOOL, (text) => textOf(toIp(text), "text") === text),
  celMethod("family", MAP, [], INT, function () {
    return isIPv4(textOf(opened(this, "ip"), "text")) ? 4n : 6n;
  }),
  about("isLoopback", isLoopback),
  about("isUnspecified", isUnspecified),
  about("isLinkLocalUnicast", isLinkLocal),
  about("isLinkLocalMulticast", isLocalMulticast),
  about(
    "isGlobalUnicast",
    (address) =>
      address !== "255.255.255.255" &&
      !isLoopback(address) &&
      !isLinkLocal(address) &&
      !isUnspecified(address) &&
      !isMulticast(address),
  ),
  celFunc("cidr", [STRING], MAP, toCidr),
  celFunc("isCIDR", [STRING], BOOL, (text) => splitCidr(text) !== undefined),
  celMethod("prefixLength", MAP, [], INT, function () {
    return BigInt(bitsOf(opened(this, "cidr")));
  }),
  celMethod("ip", MAP, [], MAP, function () {
    return opaque("ip", { text: textOf(opened(this, "cidr"), "address") });
  }),
  celMethod("masked", MAP, [], MAP, function () {
    return masked(opened(this, "cidr"));
  }),
  celMethod("containsIP", MAP, [DYN], BOOL, function (address) {
    const cidr = opened(this, "cidr");
    return inNetwork(addressOf(address), textOf(cidr, "address"), bitsOf(cidr));
  }),
  celMethod("containsCIDR", MAP, [DYN], BOOL, function (given) {
    const cidr = opened(this, "cidr");
    const other = typeof given === "string" ? toCidr(given) : opened(given, "cidr");
    const fits = bitsOf(other) >= bitsOf(cidr);
    return fits && inNetwork(textOf(other, "address"), textOf(cidr, "address"), bitsOf(cidr));
  }),
];

export const networkFunctions: readonly CelFunc[] = [...urlFunctions, ...ipFunctions];
