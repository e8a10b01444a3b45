// What a client is told of addresses and ranges that are valid, but not written as they should be.
import {
  addressBits,
  canonicalAddress,
  ipv6Text,
  isCidr,
  isIp,
  isIpv6,
  isMapped,
  LEADING_ZERO,
} from "../validation/addresses.ts";

const quoted = (text: string) => JSON.stringify(text);
const NON_STANDARD = "will be considered invalid in a future Kubernetes release: use";

const ipv4Text = (value: bigint) => [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");

/** An IPv4 address inside an IPv6 address is shown as the one inside. */
function shownAddress({ value, bits }: { readonly value: bigint; readonly bits: number }): string {
  if (bits === 32) return ipv4Text(value);
  return value >> 32n === 0xffffn ? ipv4Text(value & 0xffff_ffffn) : ipv6Text(value);
}

export function ipWarnings(field: string, address: string): string[] {
  if (!isIp(address)) return [];
  if (LEADING_ZERO.test(address) || isMapped(address)) {
    const shown = quoted(shownAddress(addressBits(address)));
    return [`${field}: non-standard IP address ${quoted(address)} ${NON_STANDARD} ${shown}`];
  }
  const canonical = canonicalAddress(address);
  if (canonical === address) return [];
  return [`${field}: IPv6 address ${quoted(address)} should be in RFC 5952 canonical format (${quoted(canonical)})`];
}

export function cidrWarnings(field: string, range: string): string[] {
  if (!isCidr(range)) return [];
  const [address = "", length = ""] = range.split("/");
  const { value, bits } = addressBits(address);
  const first = (value >> BigInt(bits - Number(length))) << BigInt(bits - Number(length));
  const network = shownNetwork(first, bits, Number(length));
  const warnings: string[] = [];
  if (first !== value) {
    const single = quoted(`${shownAddress({ value, bits })}/${bits}`);
    const choice = `(should be ${quoted(network)} or ${single}?)`;
    warnings.push(`${field}: CIDR value ${quoted(range)} is ambiguous in this context ${choice}`);
  }
  if (LEADING_ZERO.test(range) || isMapped(address))
    warnings.push(`${field}: non-standard CIDR value ${quoted(range)} ${NON_STANDARD} ${quoted(network)}`);
  const canonical = `${canonicalAddress(address)}/${length}`;
  if (warnings.length === 0 && isIpv6(address) && range !== canonical)
    warnings.push(
      `${field}: IPv6 CIDR value ${quoted(range)} should be in RFC 5952 canonical format (${quoted(canonical)})`,
    );
  return warnings;
}

function shownNetwork(first: bigint, bits: number, length: number): string {
  const inside = bits === 128 && first >> 32n === 0xffffn;
  return `${shownAddress({ value: first, bits })}/${inside ? length - 96 : length}`;
}
