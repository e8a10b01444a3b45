/** `spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/ACCOUNT`. */
export function spiffeId(trustDomain: string, namespace: string, serviceAccount: string): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

const SCHEME = "spiffe://";

/** The same identity under every trust domain; ids of other trust domains stay as they are. Sorted, no duplicates. */
export function expandTrustDomains(ids: Iterable<string>, trustDomain: string, aliases: readonly string[]): string[] {
  const domains = [trustDomain, ...aliases];
  const expanded = new Set<string>();
  for (const id of ids) {
    expanded.add(id);
    const slash = id.indexOf("/", SCHEME.length);
    if (!id.startsWith(SCHEME) || slash < 0 || !domains.includes(id.slice(SCHEME.length, slash))) continue;
    for (const domain of domains) expanded.add(`${SCHEME}${domain}${id.slice(slash)}`);
  }
  return [...expanded].sort();
}
