// Ranges of addresses of either family, as ServiceCIDRs name them. What is no range or no address is in nothing.
import { parseAddress, parseCidr } from "#base/ipv4-range";
import { parseIpv6, parseIpv6Cidr } from "#base/ipv6-range";

interface Prefix {
  readonly family: 4 | 6;
  readonly first: bigint;
  readonly last: bigint;
}

function prefixOf(cidr: string): Prefix | undefined {
  const four = parseCidr(cidr);
  if (four !== undefined) return { family: 4, first: BigInt(four.first), last: BigInt(four.last) };
  const six = parseIpv6Cidr(cidr);
  return six === undefined ? undefined : { family: 6, first: six.first, last: six.last };
}

export function prefixesOverlap(a: string, b: string): boolean {
  const [one, other] = [prefixOf(a), prefixOf(b)];
  if (one === undefined || other === undefined || one.family !== other.family) return false;
  return one.first <= other.last && other.first <= one.last;
}

/** Whether all of `inner` is in `outer`. */
export function prefixContains(outer: string, inner: string): boolean {
  const [around, within] = [prefixOf(outer), prefixOf(inner)];
  if (around === undefined || within === undefined || around.family !== within.family) return false;
  return around.first <= within.first && within.last <= around.last;
}

/** Whether a Service may have this address of the range: not that of the network, nor the broadcast address of IPv4. */
export function prefixHolds(cidr: string, address: string): boolean {
  const prefix = prefixOf(cidr);
  const four = parseAddress(address);
  const value = four === undefined ? parseIpv6(address) : BigInt(four);
  if (prefix === undefined || value === undefined || (prefix.family === 4) !== (four !== undefined)) return false;
  return value > prefix.first && (prefix.family === 4 ? value < prefix.last : value <= prefix.last);
}
